/**
 * Files of parts of Asterisk that Letsdial switches off or leaves at their defaults. Each would be missed with an error
 * in the log at every start, and a log that always holds errors is not read.
 */
export const UNUSED_FILES: readonly (readonly [name: string, content: string])[] = [
  ['cel.conf', '[general]\nenable=no\n'],
  ['acl.conf', '; Addresses are checked per endpoint.\n'],
  ['ccss.conf', '[general]\n'],
  ['codecs.conf', '; Endpoints name their codecs.\n'],
  ['features.conf', '[general]\n'],
  [
    'indications.conf',
    '[general]\ncountry=us\n\n[us]\ndescription=us\nringcadence=2000,4000\nring=440+480/2000,0/4000\nbusy=480+620/500,0/500\ncongestion=480+620/250,0/250\n',
  ],
  ['resolver_unbound.conf', '[general]\n'],
  ['udptl.conf', '[general]\n'],
  ['websocket_client.conf', '; No websocket is opened by the switch.\n'],
];
