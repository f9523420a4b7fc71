# The commands of the house; each is one line into `cargo xtask`, which has the rest.

PREFIX ?= /usr/local
DESTDIR ?=

.PHONY: help demo test check bench install

help:
	@cargo xtask help

demo:
	@cargo xtask demo

test:
	@cargo xtask test

check:
	@cargo xtask check

bench:
	@cargo xtask bench

install:
	@cargo xtask install --prefix "$(PREFIX)" --destdir "$(DESTDIR)"
