"""The same RegisterUsage by boto3, as sellers write it. Its answer is not even verified."""

import os

import boto3

client = boto3.client(
    "meteringmarketplace",
    region_name="us-east-1",
    endpoint_url=os.environ["BENCH_AWS"],
    aws_access_key_id=os.environ["BENCH_KEY"],
    aws_secret_access_key=os.environ["BENCH_SECRET"],
    aws_session_token=os.environ["BENCH_TOKEN"],
)
answer = client.register_usage(ProductCode="bench", PublicKeyVersion=1, Nonce="bench")
assert answer["Signature"]
