/** The default protocols of a server. A new one is a folder, and a line here. */
import { api } from './api/api.ts';
import { files } from './files/files.ts';
import { nat } from './nat/nat.ts';
import { openApi } from './openapi/openapi.ts';
import { operator } from './operator/operator.ts';
import type { Protocol } from './protocol.ts';

export { api, files, nat, openApi, operator };

export const ourProtocols = (): readonly Protocol[] => [nat(), api(), operator(), files(), openApi()];
