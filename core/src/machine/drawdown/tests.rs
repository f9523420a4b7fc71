mod bench;
mod contract;
mod doubt;
mod draws;
mod durable;
mod random;
mod takeover;
mod wishes;
