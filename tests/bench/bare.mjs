// Nothing: what `node` itself takes.
