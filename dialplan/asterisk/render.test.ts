import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AsteriskOptions } from './options.ts';
import { renderAsterisk } from './render.ts';
import { writeAsterisk } from './write.ts';

function options(home: string, more: Partial<AsteriskOptions> = {}): AsteriskOptions {
  const at = (name: string): string => join(home, name);
  return {
    directories: {
      config: at('etc'),
      modules: '/modules',
      data: '/data',
      database: at('db'),
      spool: at('spool'),
      run: at('run'),
      log: at('log'),
      keys: at('keys'),
    },
    system_name: 'one',
    sip: { address: '127.0.0.1', port: 5060 },
    calls_max: 1234,
    media_address: '127.0.0.1',
    rtp: { first_port: 10_000, last_port: 20_000 },
    http: { address: '127.0.0.1', port: 8088 },
    ari: { user: 'ari', password: 'secret-ari' },
    ami: { address: '127.0.0.1', port: 5038, user: 'ami', password: 'secret-ami' },
    postgres: { host: '127.0.0.1', port: 5432, database: 'letsdial', user: 'asterisk', password: 'secret-pg' },
    tls: null,
    cdr_file: at('cdr/calls.csv'),
    ...more,
  };
}

describe('the rendered configuration', () => {
  it('refuses calls before the switch runs out of what they need', () => {
    expect(renderAsterisk(options('/home')).get('asterisk.conf')).toMatch(/^maxcalls *= *1234$/mu);
  });

  it('loads only what it names', () => {
    const modules = renderAsterisk(options('/home')).get('modules.conf') ?? '';
    expect(modules).toContain('autoload=no');
    expect(modules).not.toContain('endpoint_identifier_anonymous');
    expect(modules).not.toContain('res_pjsip_refer');
  });

  it('lets no call be transferred, parked or redirected', () => {
    const extensions = renderAsterisk(options('/home')).get('extensions.conf') ?? '';
    expect(extensions).not.toMatch(/Dial\([^$]/u);
  });

  it('gives whatever a phone dials to the controller, once, and expands none of it', () => {
    const extensions = renderAsterisk(options('/home')).get('extensions.conf') ?? '';
    const context = (name: string): string => extensions.split(`[${name}]\n`)[1]?.split('\n[')[0] ?? '';
    expect(context('from-device')).toContain('exten => _!,1,');
    // Anything matches `h` too, where the channel of a caller goes that hung up while he waited.
    expect(context('from-device')).toContain('exten => h,1,NoOp()');
    expect(context('from-trunk')).toContain('exten => _[+*#0-9]!,1,');
    for (const name of ['from-device', 'from-trunk']) {
      const [, ...rest] = context(name).split(
        'GotoIf(${REGEX("[[:cntrl:]][[:cntrl:]]" ${EXTEN}${CALLERID(num)}${CALLERID(name)})}?malformed)',
      );
      // Where it only says whether a line ends in it.
      expect(rest).toHaveLength(1);
      expect(rest.join('')).not.toMatch(/EXTEN|CALLERID|INVALID/u);
    }
  });

  it('offers TLS and WSS exactly when there is a certificate', () => {
    const plain = renderAsterisk(options('/home'));
    expect(plain.get('pjsip.conf')).toContain('protocol=ws\n');
    expect(plain.get('pjsip.conf')).not.toContain('protocol=tls');
    const tls = {
      certificate_file: '/c.pem',
      private_key_file: '/k.pem',
      sip_port: 5061,
      https: { address: '127.0.0.1', port: 8089 },
    };
    const secure = renderAsterisk(options('/home', { tls }));
    expect(secure.get('pjsip.conf')).toContain('protocol=wss');
    expect(secure.get('pjsip.conf')).toContain('protocol=tls');
    expect(secure.get('http.conf')).toContain('tlsbindaddr=127.0.0.1:8089');
  });

  it('refuses a value that would begin another setting', () => {
    const ari = { user: 'ari', password: 'x\nread_only=no' };
    expect(() => renderAsterisk(options('/home', { ari }))).toThrow(/line break/u);
  });

  it('is written for its owner alone', async () => {
    const home = await mkdtemp(join(tmpdir(), 'render-'));
    try {
      await writeAsterisk(join(home, 'etc'), options(home));
      expect((await stat(join(home, 'etc/manager.conf'))).mode & 0o777).toBe(0o600);
      expect((await stat(join(home, 'etc'))).mode & 0o777).toBe(0o700);
    } finally {
      await rm(home, { recursive: true });
    }
  });
});
