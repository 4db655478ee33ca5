/** Not for scripts, not for other sites, and over HTTPS alone where its name says so (RFC 6265bis 4.1.3.2). */
const attributes = (name: string): string =>
  `Path=/; HttpOnly; SameSite=Strict${name.startsWith('__Host-') ? '; Secure' : ''}`;

export function sessionCookie(name: string, token: string, life_ms: number): string {
  return `${name}=${token}; Max-Age=${Math.floor(life_ms / 1000)}; ${attributes(name)}`;
}

export function clearedCookie(name: string): string {
  return `${name}=; Max-Age=0; ${attributes(name)}`;
}
