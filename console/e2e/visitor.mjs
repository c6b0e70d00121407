import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';

const shots = 'test-results';
mkdirSync(shots, { recursive: true });

/** One person at a browser, in one language; what goes wrong in the page is remembered. */
export class Visitor {
  static async open(browser, domain, language, options = {}) {
    const visitor = new Visitor();
    visitor.domain = domain;
    visitor.language = language;
    visitor.context = await browser.newContext({
      locale: language === 'zh' ? 'zh-CN' : 'en-US',
      viewport: { width: 1440, height: 900 },
      acceptDownloads: true,
      reducedMotion: 'reduce',
      ...options,
    });
    visitor.page = await visitor.context.newPage();
    visitor.page.setDefaultTimeout(60_000);
    visitor.faults = [];
    visitor.page.on('pageerror', (error) => visitor.faults.push(`page error: ${error.message}`));
    visitor.page.on('console', (message) => {
      // Answers with a bad status are asked for on purpose; the page shows them.
      const isNetwork = message.text().startsWith('Failed to load resource');
      if (message.type() === 'error' && !isNetwork) visitor.faults.push(message.text());
    });
    visitor.page.on('request', (request) => {
      const { origin } = new URL(request.url());
      const isOurs = origin === domain.url || /^(blob|data):/.test(request.url());
      if (!isOurs) visitor.faults.push(`asked another host: ${request.url()}`);
    });
    if (process.env.CONSOLE_DIST) await visitor.#serve(process.env.CONSOLE_DIST);
    await visitor.page.goto(`${domain.url}/`);
    return visitor;
  }

  // Shows the console in a directory instead of the one in the program.
  async #serve(directory) {
    await this.context.route(
      (url) => url.origin === this.domain.url && !url.pathname.startsWith('/v1/'),
      (route) => {
        const { pathname } = new URL(route.request().url());
        const path = directory + (pathname === '/' ? '/index.html' : pathname);
        return existsSync(path) ? route.fulfill({ path }) : route.continue();
      },
    );
  }

  /** Chinese or English, whichever this person reads. */
  say(zh, en) {
    return this.language === 'zh' ? zh : en;
  }

  async signIn(key) {
    await this.page.locator('input[type=password]').fill(key);
    await this.page.keyboard.press('Enter');
  }

  async press(...keys) {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  async sees(text, within = 'body') {
    await this.page.locator(within).getByText(text).first().waitFor();
  }

  async heading(text) {
    await this.page.getByRole('heading', { level: 1, name: text }).waitFor();
  }

  async shoot(name, options = {}) {
    await this.page.screenshot({ path: `${shots}/${this.language}-${name}.png`, ...options });
  }

  async close() {
    await this.context.close();
    assert.deepEqual(this.faults, [], 'faults in the page');
  }
}
