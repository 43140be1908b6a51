-- A value of an enum, inside an array of a domain, takes another name: every row that has it reads otherwise.
-- verdict: copied
CREATE TYPE state AS ENUM ('new', 'paid');
CREATE DOMAIN checked AS state CHECK (value <> 'paid' OR true);
CREATE TABLE t (id int PRIMARY KEY, v checked[]);
INSERT INTO t VALUES (1, '{paid,new}'), (2, NULL);

-- while streaming
INSERT INTO t VALUES (3, '{paid}');

ALTER TYPE state RENAME VALUE 'paid' TO 'settled';
