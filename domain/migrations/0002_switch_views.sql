-- What the switch may see of devices and trunks: four views in the shape Asterisk's realtime reads, through a role that
-- can do nothing else. A device works the moment its row is committed; no reload, no generated file.

-- Roles belong to the whole cluster, and several databases of one cluster may be migrated at the same moment: creating
-- or altering the role can then collide, so each collision looks again instead of failing.
do $$
begin
  for turn in 1..20 loop
    begin
      if not exists (select from pg_roles where rolname = 'asterisk') then
        -- No password: until the deployment sets one, nobody can log in by it.
        create role asterisk login;
      end if;
      -- A lock on our tables or a slow disk would otherwise stall every SIP request, cached devices included.
      if not exists (
        select from pg_roles where rolname = 'asterisk' and 'statement_timeout=300ms' = any (coalesce(rolconfig, '{}'))
      ) then
        alter role asterisk set statement_timeout = '300ms';
      end if;
      exit;
    exception
      when duplicate_object or unique_violation or internal_error then
        if turn = 20 then raise; end if;
        perform pg_sleep(0.05);
    end;
  end loop;
end
$$;

-- The name of the realm is inside every digest: changing it would lock out every phone.
create view ps_auths as
select username as id,
       'digest' as auth_type,
       username,
       'letsdial' as realm,
       null::text as password,
       concat_ws(',', 'MD5:' || ha1_md5, 'SHA-256:' || ha1_sha256) as password_digest,
       -- Each algorithm named here needs its digest above, else the switch answers 500.
       'SHA-256,MD5' as supported_algorithms_uas,
       'SHA-256,MD5' as supported_algorithms_uac
  from sip_device
 where enabled
union all
-- What we answer a carrier's challenge with. No realm: any realm of that carrier.
select id, 'userpass', auth_username, null, auth_secret, null, 'SHA-256,MD5', 'SHA-256,MD5'
  from trunk
 where enabled and auth_username is not null;

create view ps_aors as
select username as id,
       null::text as contact,
       10 as max_contacts,
       -- The eleventh phone takes the place of the one registered longest ago, instead of being refused.
       'yes' as remove_existing,
       300 as default_expiration,
       60 as minimum_expiration,
       3600 as maximum_expiration,
       'yes' as support_path,
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

create view ps_endpoints as
select username as id,
       username as aors,
       username as auth,
       null::text as outbound_auth,
       'from-device' as context,
       'LD_SOURCE=device:' || username as set_var,
       null::text as transport,
       'auth_username,username' as identify_by,
       'all' as disallow,
       case when webrtc then 'opus,ulaw,alaw,g722' else 'ulaw,alaw,g722,gsm,opus' end as allow,
       -- The switch can only cut a call whose media it carries.
       'no' as direct_media,
       'yes' as rtp_symmetric,
       'yes' as force_rport,
       'yes' as rewrite_contact,
       -- A peer that vanished is noticed by signalling (timers) and by media (rtp_timeout), whichever comes first.
       'always' as timers,
       600 as timers_sess_expires,
       60 as rtp_timeout,
       300 as rtp_timeout_hold,
       -- A transfer would take a leg away from its payer and its deadline.
       'no' as allow_transfer,
       'no' as allow_subscribe,
       'no' as trust_id_inbound,
       'no' as trust_id_outbound,
       'no' as send_pai,
       'no' as send_rpid,
       null::text as from_domain,
       case when webrtc then 'yes' else 'no' end as webrtc,
       case when webrtc then 'yes' else 'no' end as dtls_auto_generate_cert,
       -- A wrong address then gets the same 401 as a wrong password.
       case when allowed_address is not null then '0.0.0.0/0' end as deny,
       array_to_string(allowed_address, ',') as permit
  from sip_device
 where enabled
union all
select id, id, null, case when auth_username is not null then id end,
       'from-trunk', 'LD_SOURCE=trunk:' || id,
       'transport-' || transport, 'ip',
       'all', 'ulaw,alaw,g722,gsm',
       'no', 'yes', 'yes', 'no',
       'always', 600, 60, 300,
       'no', 'no', 'no', 'no', 'no', 'no',
       from_domain, 'no', 'no', null, null
  from trunk
 where enabled;

-- A carrier is known by its address alone; a trunk without an address can be called but cannot call us.
create view ps_endpoint_id_ips as
select a.trunk_id || '-' || row_number() over (partition by a.trunk_id order by a.address) as id,
       a.trunk_id as endpoint,
       a.address::text as match
  from trunk_address a
  join trunk t on t.id = a.trunk_id and t.enabled;

-- The switch keeps what it has read for minutes. Whoever drives it hears at once what it must read anew: the name of the
-- device or trunk, and the old one too where it was renamed.
create function notify_device() returns trigger language plpgsql as $$
declare
  before text;
  after text;
begin
  if tg_table_name = 'trunk' then
    before := case when tg_op <> 'INSERT' then old.id end;
    after := case when tg_op <> 'DELETE' then new.id end;
  else
    before := case when tg_op <> 'INSERT' then old.username end;
    after := case when tg_op <> 'DELETE' then new.username end;
  end if;
  if after is not null then perform pg_notify('device', after); end if;
  if before is distinct from after and before is not null then perform pg_notify('device', before); end if;
  return null;
end $$;
create trigger notify_device after insert or update or delete on sip_device for each row execute function notify_device();
create trigger notify_device after insert or update or delete on trunk for each row execute function notify_device();

grant select on ps_auths, ps_aors, ps_endpoints, ps_endpoint_id_ips to asterisk;
