-- A call for help that went out while nothing could be stored is recorded by the next controller, from what the switch kept of it.
-- So that it makes one record of it and no second, it may see which calls have theirs.
grant select (call_id) on cdr to letsdial_controller;
