/** Which archive is read, and the folders of an apt that touches nothing of the machine's own. All paths absolute. */
export interface AptPlan {
  folder: string;
  mirror: string;
  suite: string;
  /** The ASCII-armoured public keys that must have signed the archive. */
  keys: readonly string[];
  /** The machine's own `Acquire::` settings (a proxy, say), as `apt-config dump` printed them. */
  carried: readonly string[];
}

export interface AptFiles {
  configuration: string;
  sources: string;
}

/**
 * An apt configuration of its own, read alone: hooks and preferences of the machine stay out of it.
 * Valid-Until is not checked, since a mirror may lag behind; signatures are.
 */
export function aptFiles(plan: AptPlan): AptFiles {
  const { folder } = plan;
  const configuration = [
    ...plan.carried,
    `Dir::State "${folder}/state";`,
    `Dir::State::status "${folder}/state/status";`,
    `Dir::Cache "${folder}/cache";`,
    `Dir::Etc::sourcelist "${folder}/debian.sources";`,
    'Dir::Etc::sourceparts "-";',
    'Dir::Etc::preferencesparts "-";',
    'Dir::Etc::preferences "-";',
    `Dir::Etc::parts "${folder}/none";`,
    `Dir::Etc::main "${folder}/none.conf";`,
    `Dir::Log "${folder}/log";`,
    'APT::Install-Recommends "false";',
    'APT::Sandbox::User "";',
    'Acquire::Languages "none";',
    'Acquire::Check-Valid-Until "false";',
    'Acquire::Retries "3";',
    'Acquire::http::Timeout "20";',
    'Acquire::https::Timeout "20";',
    'Debug::NoLocking "true";',
    '',
  ].join('\n');
  return { configuration, sources: debianSources(plan) };
}

function debianSources({ mirror, suite, keys }: AptPlan): string {
  // In deb822 a key may stand in the source itself; an empty line of it is written as a dot.
  const block = oneKeyring(keys)
    .split('\n')
    .map((line) => (line === '' ? ' .' : ` ${line}`));
  return ['Types: deb', `URIs: ${mirror}`, `Suites: ${suite}`, 'Components: main', 'Signed-By:', ...block, ''].join(
    '\n',
  );
}

/** Several armoured keys as one block, for apt reads the first block of a file and no other. */
export function oneKeyring(armoured: readonly string[]): string {
  const bytes = Buffer.concat(armoured.map((key) => Buffer.from(armourBody(key), 'base64')));
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN PGP PUBLIC KEY BLOCK-----', '', ...lines, '-----END PGP PUBLIC KEY BLOCK-----'].join('\n');
}

/** The base64 of an armoured key: after the empty line that ends its headers, without the checksum (`=…`). */
function armourBody(key: string): string {
  const lines = key.split('\n').map((line) => line.trim());
  const body = lines.slice(lines.indexOf('') + 1);
  return body.filter((line) => !line.startsWith('=') && !line.startsWith('-----')).join('');
}

/** Of all that `apt-config dump` prints, what decides how an archive is reached. */
export function carriedSettings(dump: string): string[] {
  return dump
    .split('\n')
    .filter((line) => /^Acquire::(https?::|Check-Date|ForceIPv)/.test(line) && !/ "";$/.test(line));
}
