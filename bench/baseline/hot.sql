\set amount random(1, 100)
\set payer random(1, :accounts)
\set payee 0
