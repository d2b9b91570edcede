/** The parts of a browser that a consent needs: it follows redirects, keeps cookies and fills in forms. */

export interface Page {
  readonly url: string;
  readonly status: number;
  readonly text: string;
}

/** The limit of hops for one way through pages. */
const MAX_HOPS = 20;

/** Opens the page, signs in under a name and agrees to everything. Returns the last page. */
export const consent = async (authUrl: string, login: string): Promise<Page> => {
  const jar = new Map<string, Map<string, string>>();
  let page = await visit(jar, authUrl);
  for (let hop = 0; hop < MAX_HOPS; hop += 1) {
    const prompt = /name="prompt" value="(\w+)"/.exec(page.text)?.[1];
    if (prompt === undefined) return page;
    page = await visit(jar, page.url, { method: 'POST', body: new URLSearchParams({ prompt, login, password: '-' }) });
  }
  throw new Error(`${authUrl} asks for something again and again`);
};

type Jar = Map<string, Map<string, string>>;

/** Cookies belong to a host name. As in browsers, all ports of a host share them. */
const visit = async (jar: Jar, address: string, init: RequestInit = {}): Promise<Page> => {
  let [url, request] = [new URL(address), init];
  for (let hop = 0; hop < MAX_HOPS; hop += 1) {
    const cookies = jar.get(url.hostname) ?? new Map<string, string>();
    jar.set(url.hostname, cookies);
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { ...request, headers: { cookie }, redirect: 'manual' });
    for (const header of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(header) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (location === null) return { url: url.href, status: response.status, text: await response.text() };
    await response.body?.cancel();
    [url, request] = [new URL(location, url), {}];
  }
  throw new Error(`${address} redirects for ever`);
};
