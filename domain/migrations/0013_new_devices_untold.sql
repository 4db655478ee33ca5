-- What is new is in no cache of the switch, so there is nothing to tell. Told all the same, it came a moment after the phone had
-- registered, and had the switch forget what it had only just read: with Postgres away from then on, that phone could not call.
drop trigger notify_device on sip_device;
drop trigger notify_device on trunk;
create trigger notify_device after update or delete on sip_device for each row execute function notify_device();
create trigger notify_device after update or delete on trunk for each row execute function notify_device();
