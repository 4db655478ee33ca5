import { CDR_COLUMNS } from './contract.ts';
import type { AsteriskOptions } from './options.ts';
import { section, sections } from './section.ts';

export function asteriskConf({ directories, system_name, calls_max }: AsteriskOptions): string {
  return sections(
    section('directories', {
      astetcdir: directories.config,
      astmoddir: directories.modules,
      astvarlibdir: directories.data,
      astdbdir: directories.database,
      astkeydir: directories.keys,
      astdatadir: directories.data,
      astagidir: directories.spool,
      astspooldir: directories.spool,
      astrundir: directories.run,
      astlogdir: directories.log,
      astsbindir: directories.run,
    }),
    section('options', {
      systemname: system_name,
      maxcalls: calls_max,
      // Found with or without the `en` link that Debian's postinst makes: an unpacked package has none.
      defaultlanguage: 'en_US_f_Allison',
      documentation_language: 'en_US',
      hideconnect: 'yes',
      live_dangerously: 'no',
      dumpcore: 'no',
    }),
  );
}

export function loggerConf(): string {
  return sections(
    section('general', { dateformat: '%F %T.%3q', queue_log: 'no', use_callids: 'yes' }),
    // Who tries to log in is heard over AMI. Requests of strangers and of addresses that are shut out are notices and warnings, each of
    // them: a scanner would fill the disk.
    section('logfiles', { 'messages.log': 'error' }),
  );
}

/** What cannot be read is an error to pjproject, and is written down as it came: strangers would fill the disk. */
export function pjprojectConf(): string {
  return sections(
    section('startup', { type: 'startup', log_level: 2 }),
    section('log_mappings', { type: 'log_mappings', asterisk_error: 0 }),
  );
}

/** Channel variables are told on the bus by default, several a call, and nobody here listens to them. */
export function stasisConf(): string {
  return section('declined_message_types', {
    decline: ['ast_channel_varset_type', 'ast_rtp_rtcp_sent_type', 'ast_rtp_rtcp_received_type'],
  });
}

/**
 * One record a call: with dial changes there would be one for each fork and attempt, and nothing in them says which is the
 * last. Unanswered calls are recorded too, so that a call which ended while no controller listened is known to have cost nothing.
 */
export function cdrConf(): string {
  return section('general', {
    enable: 'yes',
    unanswered: 'yes',
    congestion: 'yes',
    batch: 'no',
    ignoredialchanges: 'yes',
    initiatedseconds: 'no',
  });
}

/** The legacy form of a mapping is the one that writes microseconds as integers (`u`). */
export function cdrCustomConf({ cdr_file }: AsteriskOptions): string {
  const raw = new Set<string>(['start', 'answer', 'end', 'disposition']);
  const columns = CDR_COLUMNS.map((column) => (raw.has(column) ? `\${CDR(${column},u)}` : `\${CDR(${column})}`));
  return ['[mappings]', `${cdr_file} => ${columns.join(',')}`, ''].join('\n');
}
