-- A table that inherits from another is one of its own; the parent has its own rows only.
CREATE TABLE parent (id int PRIMARY KEY, v text);
CREATE TABLE child (w int, PRIMARY KEY (id)) INHERITS (parent);
INSERT INTO parent VALUES (1, 'parent');
INSERT INTO child VALUES (1, 'child', 1), (2, 'child', 2);

-- while streaming
UPDATE parent SET v = v || '!';

INSERT INTO child VALUES (3, 'new', 3);

DELETE FROM parent WHERE id = 2;

-- after a mark
ALTER TABLE parent ADD COLUMN n int DEFAULT 5;

TRUNCATE ONLY parent;
