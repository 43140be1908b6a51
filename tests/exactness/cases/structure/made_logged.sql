-- A table that is not in the log comes into it: it is mirrored once it has a spec, and disturbs nothing before.
CREATE TABLE t (id int PRIMARY KEY);
CREATE UNLOGGED TABLE u (id int PRIMARY KEY);
INSERT INTO u SELECT generate_series(1, 5);

-- while streaming
ALTER TABLE u SET LOGGED;

INSERT INTO u VALUES (6);

INSERT INTO t SELECT id FROM u;
