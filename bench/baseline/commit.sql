INSERT INTO probe (filled_at) VALUES (now());
