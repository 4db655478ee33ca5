/** What os-release(5) says about the machine. */
export interface Release {
  /** `debian`, `ubuntu`, … */
  id: string;
  /** `bookworm`, `noble`, …; empty where the file names none. */
  codename: string;
}

export function parseRelease(text: string): Release {
  const value = (name: string): string => new RegExp(`^${name}="?([^"\\n]*)"?$`, 'm').exec(text)?.[1] ?? '';
  return { id: value('ID'), codename: value('VERSION_CODENAME') };
}
