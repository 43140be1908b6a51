-- A table takes another name.
-- verdict: stale, no longer in the publication
CREATE TABLE t (id int PRIMARY KEY);
INSERT INTO t VALUES (1);

-- while streaming
ALTER TABLE t RENAME TO u;

INSERT INTO u VALUES (2);
