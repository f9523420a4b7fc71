"""Calls in which a type checker must find the error that the comment names."""

from datetime import timedelta

import mpguard


def hear(text: str) -> None: ...


mpguard.init(product_code="3xmpl")  # error: call-arg
mpguard.init(product_code="3xmpl", pricing="gratis")  # error: arg-type
mpguard.init(product_code="3xmpl", pricing="usage", colour="red")  # error: call-arg
mpguard.init(product_code="3xmpl", pricing="usage", grace=5)  # error: arg-type
mpguard.init(product_code="3xmpl", pricing="usage", grace_ms=timedelta(1))  # error: arg-type
mpguard.init(product_code="3xmpl", pricing="usage", dimensions=[{"kind": "sum"}])  # error: typeddict-item
mpguard.init(product_code="3xmpl", pricing="usage", on_event=hear)  # error: arg-type
mpguard.doctor(product_code="3xmpl")  # error: call-overload
mpguard.doctor().status == "well"  # error: comparison-overlap

guard = mpguard.init(product_code="3xmpl", pricing="usage")
guard.meter("requests").add(0.5)  # error: arg-type
guard.meter("requests").add("1")  # error: arg-type
guard.meter("requests").add(quantity=1)  # error: call-arg
guard.meter("requests", {"Team": 1})  # error: dict-item
guard.check_out("Seats", timeout=5)  # error: arg-type
guard.draw_down("Credits")  # error: call-arg
guard.draw_down("Credits", 1.5)  # error: arg-type
guard.shutdown(5)  # error: arg-type
guard.verdict() == "yes"  # error: comparison-overlap
guard.license().verdict = "licensed"  # error: misc
guard.subscribe(hear)  # error: arg-type
mpguard.Meter("requests")  # error: call-arg
