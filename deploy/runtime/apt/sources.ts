/** One archive that apt knows. */
export interface AptSource {
  uri: string;
  suites: string[];
  components: string[];
  /** Path of the keyring that signs it, as written; null where none is named. */
  signed_by: string | null;
}

/** Reads the one-line form (`deb [signed-by=…] URI SUITE COMPONENT…`), see sources.list(5). Source packages are left out. */
export function parseOneLine(text: string): AptSource[] {
  return text.split('\n').flatMap((line) => {
    const entry = /^\s*deb\s+(?:\[(?<options>[^\]]*)\]\s+)?(?<uri>\S+)\s+(?<suite>\S+)(?<components>[^#]*)/.exec(line);
    if (entry?.groups === undefined) return [];
    const { options = '', uri = '', suite = '', components = '' } = entry.groups;
    const signed_by = /signed-by=(\S+)/i.exec(options)?.[1] ?? null;
    return [{ uri, suites: [suite], components: words(components), signed_by }];
  });
}

/** Reads the deb822 form (`*.sources`), see sources.list(5): stanzas of fields, continued lines begin with a blank. */
export function parseDeb822(text: string): AptSource[] {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const fields = stanzaFields(stanza);
    if (!words(fields.get('types')).includes('deb') || fields.get('enabled') === 'no') return [];
    return words(fields.get('uris')).map((uri) => ({
      uri,
      suites: words(fields.get('suites')),
      components: words(fields.get('components')),
      signed_by: fields.get('signed-by') ?? null,
    }));
  });
}

function stanzaFields(stanza: string): Map<string, string> {
  const fields = new Map<string, string>();
  let name = '';
  for (const line of stanza.split('\n')) {
    if (line.startsWith('#')) continue;
    const field = /^([\w-]+)\s*:\s*(.*)$/.exec(line);
    if (field !== null) {
      name = (field[1] ?? '').toLowerCase();
      fields.set(name, (field[2] ?? '').trim());
    } else if (/^\s+\S/.test(line)) {
      fields.set(name, `${fields.get(name) ?? ''} ${line.trim()}`);
    }
  }
  return fields;
}

function words(text: string | undefined): string[] {
  return (text ?? '').split(/\s+/).filter((word) => word !== '');
}
