import { chromium } from 'playwright-core';
import { Domain } from './domain.mjs';
import { scenarios } from './scenarios.mjs';
import { Visitor } from './visitor.mjs';
import { fill } from './world.mjs';

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in scenarios));
if (unknown.length > 0) {
  console.error(`e2e: no scenario ${unknown}; there are ${Object.keys(scenarios).join(', ')}`);
  process.exit(2);
}

/** The overview signs in, so it always comes first. */
const names = Object.keys(scenarios).filter(
  (name) => name === 'overview' || asked.length === 0 || asked.includes(name),
);

async function drive(domain, browser) {
  const world = await fill(domain);
  let failures = 0;
  for (const language of ['zh', 'en']) {
    const visitor = await Visitor.open(browser, domain, language);
    for (const name of names) {
      const began = Date.now();
      try {
        await scenarios[name](visitor, { browser, domain, world });
        console.log(`ok    ${language} ${name} (${Date.now() - began} ms)`);
      } catch (error) {
        ++failures;
        await visitor.shoot(`FAILED-${name}`).catch(() => undefined);
        console.error(`FAIL  ${language} ${name}\n${error.stack}`);
      }
    }
    await visitor.close().catch((error) => {
      ++failures;
      console.error(`FAIL  ${language} page\n${error.message}`);
    });
  }
  return failures;
}

const domain = await Domain.start(process.env.SUAN_BIN, {
  flags: ['--city', '芜湖', '--region', 'cn-ah'],
});
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
});
let failures = 1;
try {
  failures = await drive(domain, browser);
} finally {
  await browser.close();
  await domain.stop();
}
process.exit(failures === 0 ? 0 : 1);
