-- A retry that its owner does not want any more: the card was removed, the wallet is not to fill itself, or the account is closed.
-- Left open, it would keep the wallet from filling itself by another card.
alter table dunning drop constraint dunning_state_check;
alter table dunning add constraint dunning_state_check check (state in ('open', 'recovered', 'exhausted', 'withdrawn'));
update dunning d set state = 'withdrawn', next_at = null
  from payment_method m where m.id = d.method_id and m.removed_at is not null and d.state = 'open';

-- What is tried again is paid by the card that its owner has chosen since.
grant update (method_id) on dunning to letsdial_portal;
