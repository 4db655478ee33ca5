import { section, sections } from '../asterisk/section.ts';
import { UNUSED_FILES } from '../asterisk/unused.ts';
import { writeFiles } from '../asterisk/write.ts';
import { mkdir } from 'node:fs/promises';
import { CUSTOMER_ENDPOINT, carrierExtensionsConf } from './extensions.ts';
import type { CarrierOptions } from './options.ts';

const MODULES = [
  'pbx_config',
  'res_timing_timerfd',
  'codec_ulaw',
  'codec_alaw',
  'codec_gsm',
  'codec_resample',
  'format_gsm',
  'format_pcm',
  'format_wav',
  'bridge_simple',
  'res_sorcery_config',
  'res_sorcery_astdb',
  'res_sorcery_memory',
  'res_pjproject',
  'res_pjsip',
  'res_pjsip_session',
  'res_pjsip_caller_id',
  'res_pjsip_endpoint_identifier_ip',
  'res_pjsip_nat',
  'res_pjsip_rfc3326',
  'res_pjsip_sdp_rtp',
  'res_pjsip_pubsub',
  'res_rtp_asterisk',
  'chan_pjsip',
  'app_echo',
  'app_playback',
  'func_dialplan',
  'func_logic',
  'func_strings',
  'res_http_websocket',
  'res_websocket_client',
  'res_stasis',
  'res_stasis_answer',
  'res_stasis_playback',
  'res_stasis_recording',
  'res_stasis_snoop',
  'res_ari',
  'res_ari_model',
  'res_ari_channels',
] as const;

function pjsipConf({ sip, customer }: CarrierOptions): string {
  return sections(
    section('global', { type: 'global', user_agent: 'Carrier', endpoint_identifier_order: 'ip' }),
    section('system', { type: 'system', disable_tcp_switch: 'yes' }),
    section('transport-udp', { type: 'transport', protocol: 'udp', bind: `${sip.address}:${sip.port}` }),
    section(CUSTOMER_ENDPOINT, {
      type: 'endpoint',
      context: 'from-customer',
      transport: 'transport-udp',
      aors: 'customer-aor',
      disallow: 'all',
      allow: 'ulaw,alaw',
      direct_media: 'no',
      rtp_symmetric: 'yes',
      trust_id_inbound: 'yes',
    }),
    section('customer-aor', { type: 'aor', contact: `sip:${customer.host}:${customer.port}` }),
    section('customer-identify', {
      type: 'identify',
      endpoint: CUSTOMER_ENDPOINT,
      match: customer.addresses.join(','),
    }),
  );
}

/** Everything the carrier's Asterisk is configured with: file name to content. */
export function renderCarrier(options: CarrierOptions): ReadonlyMap<string, string> {
  const { directories: at, sip, rtp, http, ari } = options;
  return new Map([
    [
      'asterisk.conf',
      sections(
        section('directories', {
          astetcdir: at.config,
          astmoddir: at.modules,
          astvarlibdir: at.data,
          astdbdir: at.database,
          astkeydir: at.keys,
          astdatadir: at.data,
          astagidir: at.spool,
          astspooldir: at.spool,
          astrundir: at.run,
          astlogdir: at.log,
          astsbindir: at.run,
        }),
        section('options', { systemname: options.system_name, defaultlanguage: 'en_US_f_Allison', hideconnect: 'yes' }),
      ),
    ],
    ['modules.conf', ['[modules]', 'autoload=no', ...MODULES.map((name) => `load=${name}.so`), ''].join('\n')],
    ['logger.conf', section('logfiles', { 'messages.log': 'notice,warning,error' })],
    ['stasis.conf', section('declined_message_types', { decline: 'ast_channel_varset_type' })],
    ['cdr.conf', section('general', { enable: 'no' })],
    ['pjsip.conf', pjsipConf(options)],
    [
      'rtp.conf',
      section('general', { rtpstart: rtp.first_port, rtpend: rtp.last_port, bindaddr: sip.address, icesupport: 'no' }),
    ],
    [
      'http.conf',
      section('general', { enabled: 'yes', bindaddr: sip.address, bindport: http.port, enable_static: 'no' }),
    ],
    [
      'ari.conf',
      sections(section('general', { enabled: 'yes' }), section(ari.user, { type: 'user', password: ari.password })),
    ],
    ['manager.conf', section('general', { enabled: 'no' })],
    ['extensions.conf', carrierExtensionsConf(options)],
    ...UNUSED_FILES,
  ]);
}

/** Writes the configuration and makes the folders Asterisk expects to find. */
export async function writeCarrier(directory: string, options: CarrierOptions): Promise<void> {
  const { spool, run, log, database } = options.directories;
  for (const folder of [spool, run, log, database]) await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFiles(directory, renderCarrier(options));
}
