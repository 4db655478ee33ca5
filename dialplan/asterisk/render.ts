import { ariConf, httpConf, managerConf } from './control.ts';
import { asteriskConf, cdrConf, cdrCustomConf, loggerConf, pjprojectConf, stasisConf } from './core.ts';
import { extensionsConf } from './extensions.ts';
import { modulesConf } from './modules.ts';
import type { AsteriskOptions } from './options.ts';
import { extconfigConf, pjsipConf, resPgsqlConf, rtpConf, sorceryConf } from './pjsip.ts';
import { UNUSED_FILES } from './unused.ts';

/** Everything Asterisk 22 is configured with: file name to content. Holds passwords. */
export function renderAsterisk(options: AsteriskOptions): ReadonlyMap<string, string> {
  return new Map([
    ['asterisk.conf', asteriskConf(options)],
    ['modules.conf', modulesConf()],
    ['logger.conf', loggerConf()],
    ['pjproject.conf', pjprojectConf()],
    ['stasis.conf', stasisConf()],
    ['cdr.conf', cdrConf()],
    ['cdr_custom.conf', cdrCustomConf(options)],
    ['http.conf', httpConf(options)],
    ['ari.conf', ariConf(options)],
    ['manager.conf', managerConf(options)],
    ['pjsip.conf', pjsipConf(options)],
    ['sorcery.conf', sorceryConf()],
    ['extconfig.conf', extconfigConf()],
    ['res_pgsql.conf', resPgsqlConf(options)],
    ['rtp.conf', rtpConf(options)],
    ['extensions.conf', extensionsConf()],
    ...UNUSED_FILES,
  ]);
}
