-- Version 2: check outs are in holdings files, one for each process. No version 1 ever wrote this table.
DROP TABLE leases;
