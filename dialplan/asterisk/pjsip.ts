import type { AsteriskOptions } from './options.ts';
import { section, sections } from './section.ts';

/** Tables Asterisk reads through `res_config_pgsql`: each is one of our views. */
const VIEWS = ['ps_endpoints', 'ps_auths', 'ps_aors', 'ps_endpoint_id_ips'] as const;

export function pjsipConf({ sip, tls, media_address }: AsteriskOptions): string {
  const bind = `${sip.address}:${sip.port}`;
  const secure = tls === null ? [] : [tlsTransport(sip.address, tls)];
  return sections(
    section('global', {
      type: 'global',
      user_agent: 'Letsdial',
      // A trunk is its address, a device its digest; nobody is anybody by the From header alone.
      endpoint_identifier_order: 'ip,auth_username,username',
      default_realm: 'letsdial',
      // Else unknown users would be challenged differently from known ones.
      default_auth_algorithms_uas: 'SHA-256,MD5',
      default_auth_algorithms_uac: 'SHA-256,MD5',
      // Two queries fewer a request: we have one domain.
      disable_multi_domain: 'yes',
      // Each request of nobody is told of: by default five within five seconds are, and a slow scanner none.
      unidentified_request_count: 1,
      max_initial_qualify_time: 4,
      keep_alive_interval: 90,
      mwi_disable_initial_unsolicited: 'yes',
      send_contact_status_on_update_registration: 'no',
      // By default a queue of any part of the switch, such as that of name lookups, which strangers can fill, makes it deaf to new calls.
      taskprocessor_overload_trigger: 'pjsip_only',
    }),
    section('system', {
      type: 'system',
      // An INVITE that nobody answers at all goes to the next route after this time (64 times T1, RFC 3261 17.1.1.2), and
      // not after 32 s: no caller waits that long. A carrier that said 100 is bound by the ring timeout instead.
      timer_t1: 150,
      timer_b: 9600,
      disable_tcp_switch: 'yes',
      compact_headers: 'no',
    }),
    section('transport-udp', { type: 'transport', protocol: 'udp', bind }),
    section('transport-tcp', { type: 'transport', protocol: 'tcp', bind }),
    section('transport-ws', { type: 'transport', protocol: tls ? 'wss' : 'ws', bind: media_address }),
    ...secure,
  );
}

function tlsTransport(address: string, tls: NonNullable<AsteriskOptions['tls']>): string {
  return section('transport-tls', {
    type: 'transport',
    protocol: 'tls',
    bind: `${address}:${tls.sip_port}`,
    cert_file: tls.certificate_file,
    priv_key_file: tls.private_key_file,
    method: 'tlsv1_2',
  });
}

/**
 * Devices are cached without a stale time: a stale object is refreshed while Postgres is away and thereby deleted,
 * whereas an object with a maximum lifetime alone goes on serving. Revoking a device therefore has to be told. The lifetime is long,
 * for what is read again while Postgres is away is not found, and nobody is to be without 112 then; what was missed in telling
 * is made good within a day.
 */
export function sorceryConf(): string {
  const cache = 'object_lifetime_maximum=86400,expire_on_reload=yes';
  const cached = (kind: string, view: string): Record<string, string> => ({
    [`${kind}/cache`]: `memory_cache,${cache}`,
    [kind]: `realtime,${view}`,
  });
  return sections(
    section('res_pjsip', {
      ...cached('endpoint', 'ps_endpoints'),
      ...cached('auth', 'ps_auths'),
      ...cached('aor', 'ps_aors'),
    }),
    // Blocked addresses, put there by the controller; each takes effect with the next packet.
    section('acl', { acl: 'memory' }),
    section('res_pjsip_endpoint_identifier_ip', {
      // Trunk addresses are few: the whole table is cached, and read anew when a change is told. What was not told is read after the first
      // call that comes two seconds later, and counts from the next one on.
      'identify/cache': 'memory_cache,object_lifetime_stale=2,full_backend_cache=yes',
      identify: 'realtime,ps_endpoint_id_ips',
    }),
  );
}

export function extconfigConf(): string {
  return ['[settings]', ...VIEWS.map((view) => `${view} => pgsql,general,${view}`), ''].join('\n');
}

export function resPgsqlConf({ postgres }: AsteriskOptions): string {
  return section('general', {
    dbhost: postgres.host,
    dbport: postgres.port,
    dbname: postgres.database,
    dbuser: postgres.user,
    dbpass: postgres.password,
    dbappname: 'asterisk',
    requirements: 'warn',
    order_multi_row_results_by_initial_column: 'no',
  });
}

export function rtpConf({ rtp, media_address }: AsteriskOptions): string {
  return section('general', {
    rtpstart: rtp.first_port,
    rtpend: rtp.last_port,
    bindaddr: media_address,
    strictrtp: 'yes',
    icesupport: 'yes',
  });
}
