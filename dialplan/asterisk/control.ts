import type { AsteriskOptions } from './options.ts';
import { section, sections } from './section.ts';

export function httpConf({ http, tls }: AsteriskOptions): string {
  const secure = tls && {
    tlsenable: 'yes',
    tlsbindaddr: `${tls.https.address}:${tls.https.port}`,
    tlscertfile: tls.certificate_file,
    tlsprivatekey: tls.private_key_file,
  };
  return section('general', {
    enabled: 'yes',
    bindaddr: http.address,
    bindport: http.port,
    enable_static: 'no',
    enable_status: 'no',
    // One websocket of the controller and those of the browser phones share the limit.
    sessionlimit: 2000,
    ...secure,
  });
}

export function ariConf({ ari }: AsteriskOptions): string {
  return sections(
    // A controller that is busy for a moment must not lose its events: the default gives it 100 ms.
    section('general', { enabled: 'yes', pretty: 'no', websocket_write_timeout: 5000 }),
    section(ari.user, { type: 'user', read_only: 'no', password: ari.password, password_format: 'plain' }),
  );
}

/**
 * Asterisk makes an AMI event of each step of each call and wakes every session for it, also one that hears none. The controller
 * hears of a call that it is given to it, that a B-leg rings and answers, and that a leg hung up; the other events are not made at all: 0.3 CPU ms a call.
 */
const UNHEARD_EVENTS = [
  ...['Newchannel', 'Newstate', 'Newexten', 'NewCallerid', 'NewConnectedLine', 'NewAccountCode', 'VarSet'],
  ...['DialBegin', 'BridgeCreate', 'BridgeEnter', 'BridgeLeave', 'BridgeDestroy', 'BridgeMerge'],
  ...['HangupRequest', 'SoftHangupRequest', 'HangupHandlerRun', 'RTCPSent', 'RTCPReceived'],
  ...['DeviceStateChange', 'ContactStatus', 'PeerStatus', 'ExtensionStatus', 'PresenceStateChange'],
  ...['DTMFBegin', 'DTMFEnd', 'MusicOnHoldStart', 'MusicOnHoldStop'],
];

export function managerConf({ ami }: AsteriskOptions): string {
  return sections(
    section('general', {
      enabled: 'yes',
      bindaddr: ami.address,
      port: ami.port,
      webenabled: 'no',
      authtimeout: 5,
      displayconnects: 'no',
      // An event's own time is what the controller counts from, not when it came.
      timestampevents: 'yes',
      disabledevents: UNHEARD_EVENTS.join(','),
    }),
    section(ami.user, {
      secret: ami.password,
      deny: '0.0.0.0/0.0.0.0',
      permit: '127.0.0.0/255.0.0.0',
      read: 'security,call,user',
      write: 'system,call,reporting',
      writetimeout: 5000,
    }),
  );
}
