/** The part of `ari-client` the witness uses; the package brings no types. */
declare module 'ari-client' {
  export interface Client {
    channels: { list(): Promise<{ id: string; name: string; state: string }[]> };
    bridges: { list(): Promise<{ id: string; channels: string[] }[]> };
    applications: { get(options: { applicationName: string }): Promise<{ channel_ids: string[] }> };
  }
  export function connect(url: string, user: string, password: string): Promise<Client>;
}
