import type { Release } from './release.ts';
import type { AptSource } from './sources.ts';

/**
 * The addresses of Debian's own archive among a machine's sources, the likeliest first.
 * Other archives use Debian's suite names too, so the keyring that signs it and the path count most.
 */
export function debianMirrors(sources: readonly AptSource[], release: Release): string[] {
  if (release.id !== 'debian') return [];
  const suites = new Set([release.codename, 'stable', 'testing', 'unstable', 'sid', 'forky']);
  const likeliness = (source: AptSource): number =>
    Number(source.signed_by?.includes('debian-archive') ?? false) * 2 + Number(/\/debian\/?$/.test(source.uri));
  const ranked = sources
    .filter((source) => source.components.includes('main') && source.suites.some((suite) => suites.has(suite)))
    .filter((source) => !source.uri.includes('debian-security'))
    .map((source) => ({ uri: source.uri, likeliness: likeliness(source) }))
    .filter(({ likeliness: n }) => n > 0)
    .sort((a, b) => b.likeliness - a.likeliness);
  return [...new Set(ranked.map(({ uri }) => uri))];
}

/** The archive's address in a template of python-apt (`Debian.info`), or null. */
export function templateMirror(template: string): string | null {
  return /^BaseURI:\s*(\S+)$/m.exec(template)?.[1] ?? null;
}
