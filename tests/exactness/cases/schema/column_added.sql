-- A column with a constant default comes, between rows that are written: what is older has the constant.
CREATE TABLE t (id int PRIMARY KEY);
INSERT INTO t SELECT g FROM generate_series(1, 3) g;

-- while streaming
INSERT INTO t VALUES (4);

UPDATE t SET id = 13 WHERE id = 3;

ALTER TABLE t ADD COLUMN v text DEFAULT E'a "quoted", {tab}\there', ADD COLUMN n numeric(8,2) DEFAULT 1.50;

INSERT INTO t VALUES (5, 'y', 2);

UPDATE t SET v = NULL WHERE id = 1;

ALTER TABLE t ALTER v SET DEFAULT 'another';

INSERT INTO t VALUES (6);

-- after a mark
ALTER TABLE t ADD COLUMN at timestamp DEFAULT '2026-01-01 12:00', ADD COLUMN list int[] DEFAULT '{1,NULL}';

DELETE FROM t WHERE id = 2;
