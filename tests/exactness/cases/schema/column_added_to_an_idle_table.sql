-- A column comes and nothing is written: the next mark finds it all the same.
CREATE TABLE t (id int PRIMARY KEY);
INSERT INTO t VALUES (1);
CREATE TABLE u (id int PRIMARY KEY);
INSERT INTO u VALUES (1);

-- while streaming
ALTER TABLE t ADD COLUMN v text;

ALTER TABLE u ADD COLUMN v text DEFAULT 'constant';
