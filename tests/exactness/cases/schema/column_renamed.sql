-- Columns take other names while rows are written, one of the key among them.
CREATE TABLE t (id int, part text, v text, note text, PRIMARY KEY (id, part));
ALTER TABLE t ALTER note SET STORAGE EXTERNAL;
INSERT INTO t SELECT g, 'p', 'v', repeat('note', 1000) FROM generate_series(1, 5) g;

-- while streaming
UPDATE t SET v = 'before' WHERE id = 1;

UPDATE t SET id = 9 WHERE id = 5;

ALTER TABLE t RENAME v TO value;

ALTER TABLE t RENAME part TO "the part";

ALTER TABLE t RENAME note TO remark;

UPDATE t SET value = 'after' WHERE id = 2;

DELETE FROM t WHERE id = 3;

UPDATE t SET "the part" = 'q' WHERE id = 4;

-- after a mark
UPDATE t SET value = 'later';
