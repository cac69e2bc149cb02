BEGIN;
WITH locked AS MATERIALIZED (SELECT account_number, credits_posted - debits_posted AS balance, floor_minor_units, version FROM account WHERE book = 1 AND account_number IN (:payer, :payee) ORDER BY account_number FOR UPDATE) SELECT payer.balance - payer.floor_minor_units AS available, payer.balance - :amount AS payer_after, payer.version + 1 AS payer_version, payee.balance + :amount AS payee_after, payee.version + 1 AS payee_version FROM locked AS payer, locked AS payee WHERE payer.account_number = :payer AND payee.account_number = :payee \gset
\if :available >= :amount
UPDATE account SET debits_posted = debits_posted + :amount, version = version + 1 WHERE book = 1 AND account_number = :payer;
UPDATE account SET credits_posted = credits_posted + :amount, version = version + 1 WHERE book = 1 AND account_number = :payee;
INSERT INTO posting (amount, debit_number, credit_number, debit_version, credit_version, debit_posted_after, credit_posted_after, booked_at, book, transaction_id, currency_code) VALUES (:amount, :payer, :payee, :payer_version, :payee_version, :payer_after, :payee_after, now(), 1, uuidv7(), 'CNY');
INSERT INTO event (booked_at, book, event_id, payload) VALUES (now(), 1, uuidv7(), decode(repeat('ab', 96), 'hex'));
INSERT INTO request_record (booked_at, book, request_key, content, reply) VALUES (now(), 1, gen_random_uuid(), decode(repeat('cd', 32), 'hex'), decode(repeat('ef', 160), 'hex'));
COMMIT;
\else
ROLLBACK;
\endif
