import { complaintsOf, openChromium } from './support/chromium.ts';
import { crowdedOffice } from './support/crowd.ts';

const server = await crowdedOffice();
const { context, close } = await openChromium();
const page = await context.newPage();
const c = complaintsOf(page, () => true);
page.on('console', (m) => console.log(m.text()));
page.on('response', (r) => console.log(r.status(), r.url()));
await page.goto(`${server.url}/console`);
await page.waitForTimeout(1500);
await page.screenshot({ path: '/tmp/zz.png' });
console.log(c, await page.content().then((x) => x.slice(0, 1500)));
await close();
await server.close();
