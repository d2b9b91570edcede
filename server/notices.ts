/** Log messages about the setup of a server and its network. */

export const UNREAD =
  'a connection ended before a request could be read; if a proxy gets 505, it speaks HTTP/1.0: set proxy_http_version 1.1 and ' +
  'proxy_set_header Connection "" in nginx, or serve with --adapter node (docs/deploying.md)';

export const SHARED_NAMES =
  'sharedAnonymousNames: a client that guesses the job id or conversation of a caller without identity can read and answer it';

export const FALLBACK =
  'uWebSockets.js does not load on this machine: node:http and ws serve the same routes, with about half of the requests a second';

export const LOST_BYTES =
  'uWebSockets.js loses bytes that are not ASCII at both ends of the identity header: users whose names differ only there are ' +
  'one user. Serve with --adapter node, unless all names are ASCII';
