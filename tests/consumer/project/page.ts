/** A front end: nothing here is of Node. */
import { createClient, type InboxItem } from 'fermata/client';

const client = createClient({ baseUrl: document.baseURI, headers: { 'x-api-key': 'ada' } });

export const titles = async (): Promise<readonly string[]> => {
  const items: InboxItem[] = await client.inbox();
  return items.map((item) => (item.status === 'oauth_required' ? item.auth_url : item.prompt.text));
};

export const journalOf = async (id: string): Promise<readonly string[]> => {
  const { entries } = await client.facts(id);
  return entries.map((entry) => (entry.type === 'interaction.requested' ? entry.prompt.input_type : entry.type));
};

document.body.append(...(await titles()));
