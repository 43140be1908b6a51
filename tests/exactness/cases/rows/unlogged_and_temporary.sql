-- Tables that are not in the log are no tables of the mirror, and do not disturb it.
CREATE TABLE t (id int PRIMARY KEY);
CREATE UNLOGGED TABLE u (id int PRIMARY KEY);

-- while streaming
CREATE TEMPORARY TABLE mine (id int PRIMARY KEY);
INSERT INTO mine SELECT generate_series(1, 5);
INSERT INTO u SELECT id FROM mine;
INSERT INTO t SELECT id FROM u;
DROP TABLE mine;
