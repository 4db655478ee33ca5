-- Settled holds are forgotten by their age, a thousand at a time: without it each thousand is looked for among all that are kept.
create index call_hold_settled on call_hold (authorized_at) where state = 's';
