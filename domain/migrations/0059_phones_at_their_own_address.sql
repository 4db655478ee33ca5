-- Where phones are called, and that nobody else is called in their place: a Contact leads to where it was registered from, and to no carrier.

create or replace view ps_aors as
select username as id,
       null::text as contact,
       10 as max_contacts,
       -- The eleventh phone takes the place of the one registered longest ago, instead of being refused.
       'yes' as remove_existing,
       300 as default_expiration,
       60 as minimum_expiration,
       3600 as maximum_expiration,
       -- A Path (RFC 3327) would send our INVITE wherever the phone's owner likes, to a carrier that knows us by our address too.
       'no' as support_path,
       0 as qualify_frequency
  from sip_device
 where enabled
union all
select id,
       -- Asterisk takes a semicolon in realtime data for the end of the value, and this for a semicolon.
       'sip:' || host || ':' || port || '^3Btransport=' || transport,
       -- Nobody can register as a trunk.
       0, 'no', 300, 60, 3600, 'no', 0
  from trunk
 where enabled;

-- At which no phone is.
grant select (host) on trunk to letsdial_controller;
