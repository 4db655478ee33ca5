-- The story of a text that nobody held says what became of it, and that of its copy where it comes from. Who decided is not told.
grant select (message_id, decision, account_id, copy_id, reason, decided_at) on unheld_text to letsdial_explain;
