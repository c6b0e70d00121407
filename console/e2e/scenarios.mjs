import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { Domain } from './domain.mjs';
import { Visitor } from './visitor.mjs';

const rows = 'tr.ant-table-row';

/** Signs in with a wrong key, then the right one, and looks at the overview. */
async function overview(visitor, { domain }) {
  const { page } = visitor;
  await visitor.signIn('suan_wrong');
  await visitor.sees(visitor.say('节点不接受这个密钥', 'The domain does not take this key'));
  await visitor.shoot('login');
  await visitor.signIn(domain.key);
  await visitor.heading(visitor.say('全局总览', 'Overview'));
  await visitor.sees(visitor.say('实时', 'Live'), '.live');
  await visitor.sees('¥', '.tiles');
  await visitor.sees(/job-\d+/, '.activity');
  assert.equal(await page.evaluate(() => document.documentElement.lang),
    visitor.say('zh-CN', 'en'));
  await page.locator('.chart svg').first().waitFor();
  await visitor.shoot('overview');
}

/** Finds the running job with the keyboard alone. */
async function jobs(visitor, { world }) {
  const { page, language } = visitor;
  await visitor.press('g', 'j');
  await visitor.heading(visitor.say('任务', 'Jobs'));
  await page.locator(rows).nth(3).waitFor();
  await visitor.shoot('jobs');
  await visitor.press('/');
  await page.keyboard.type(`count-${language}`);
  await page.waitForFunction((row) => document.querySelectorAll(row).length === 1, rows);
  await visitor.press('ArrowDown', 'Enter');
  await visitor.heading(new RegExp(`count-${language}`));
  assert.equal(new URL(page.url()).hash, `#/jobs/${world.running[language]}`);
  await visitor.sees(visitor.say('运行中', 'Running'), 'h1');
  await visitor.shoot('job');
  await page.goto(`${visitor.domain.url}/#/jobs?state=queued`);
  await visitor.sees('all-cores', rows);
  assert.equal(await page.locator(rows).count(), 1);
}

/** Follows logs live, and reads those of a job that has ended. */
async function logs(visitor, { domain, world }) {
  const { page, language } = visitor;
  await page.goto(`${domain.url}/#/jobs/${world.running[language]}?tab=logs`);
  await visitor.sees('line 3', '.log');
  const linesNow = () => page.locator('.log .line').count();
  const before = await linesNow();
  await page.waitForFunction((n) => document.querySelectorAll('.log .line').length > n, before + 2);
  await visitor.shoot('logs');
  await page.getByText('stderr', { exact: true }).click();
  await visitor.sees('aside 1', '.log');
  await page.goto(`${domain.url}/#/jobs/${world.done}?tab=logs`);
  await visitor.sees('hello from 算河', '.log');
  await visitor.sees(visitor.say('日志已结束', 'End of the log'));
  assert.equal(await linesNow(), 1);
}

/** Asks why a job waits, and why another is where it is. */
async function why(visitor, { domain, world }) {
  const { page, language } = visitor;
  await page.goto(`${domain.url}/#/jobs/${world.waiting}?tab=why`);
  await visitor.sees(visitor.say('未选中的候选（按原因）', 'Turned down, by reason'));
  const truth = await domain.get(`/v1/jobs/${world.waiting}/why`);
  assert.ok(truth.rejected.length > 0, 'the domain says what was turned down');
  assert.equal(await page.locator('.bars li').count(), truth.rejected.length);
  await visitor.shoot('why-waiting');
  await page.goto(`${domain.url}/#/jobs/${world.running[language]}?tab=why`);
  await visitor.sees(visitor.say('选中的资源池', 'Chosen pool'));
  await visitor.shoot('why-placed');
}

/** Cancels the running job and sees it end without a reload. */
async function cancel(visitor, { domain, world }) {
  const { page, language } = visitor;
  const id = world.running[language];
  await page.goto(`${domain.url}/#/jobs/${id}`);
  await page.getByRole('button', { name: visitor.say('取消任务', 'Cancel job') }).click();
  await visitor.shoot('cancel');
  await page.locator('.ant-modal .ant-btn-dangerous').click();
  await page.locator('h1 [data-state=cancelled]').waitFor({ timeout: 60_000 });
  assert.equal((await domain.get(`/v1/jobs/${id}`)).state, 'cancelled');
  await page.goto(`${domain.url}/#/jobs/${id}?tab=cost`);
  await visitor.sees('¥', '.tiles');
  await visitor.shoot('cost');
}

/** Looks at supply: what is free here agrees with the domain. */
async function supply(visitor, { domain }) {
  await visitor.press('g', 's');
  await visitor.heading(visitor.say('算力供给', 'Supply'));
  const { pools } = await domain.get('/v1/pools');
  await visitor.page.locator(rows).nth(pools.length - 1).waitFor();
  assert.equal(await visitor.page.locator(rows).count(), pools.length);
  await visitor.shoot('supply');
}

/** Reads the ledger and takes its postings along as CSV. */
async function ledger(visitor, { world }) {
  const { page } = visitor;
  await visitor.press('g', 'l');
  await visitor.heading(visitor.say('账务', 'Ledger'));
  await visitor.sees(world.project, rows);
  await visitor.shoot('charges');
  await page.getByRole('tab', { name: visitor.say('分录', 'Postings') }).click();
  await visitor.sees('¥1,234.50', rows);
  await visitor.shoot('postings');
  const coming = page.waitForEvent('download');
  await page.getByRole('button', { name: visitor.say('下载 CSV', 'Download CSV') }).click();
  const csv = await readFile(await (await coming).path(), 'utf8');
  const lines = csv.trimEnd().split('\r\n');
  assert.equal(lines[0], '\ufeffsequence,at,kind,from,to,amount_cny,job,text');
  assert.ok(lines.some((line) => line.includes('1234.5') && line.includes('for the test')), csv);
  assert.equal(lines.length - 1, await page.locator(`.ant-tabs ${rows}`).count());
}

/** Makes a key, lets somebody in with it, revokes it, and sees them put out. */
async function keys(visitor, { browser, domain, world }) {
  const { page, language } = visitor;
  await visitor.press('g', 'k');
  await visitor.heading(visitor.say('密钥', 'Keys'));
  await page.getByRole('button', { name: visitor.say('新建密钥', 'New key') }).click();
  const user = `guest-${language}`;
  await page.locator('#user').fill(user);
  await page.locator('#projects').click();
  await page.locator('.ant-select-item-option', { hasText: world.project }).click();
  await page.locator('#label').fill(`tablet ${language}`);
  await visitor.shoot('new-key');
  await page.locator('.ant-modal .ant-btn-primary').click();
  const secret = await page.locator('[data-secret]').textContent();
  assert.match(secret, /^suan_\w{20,}$/);
  await page.locator('.ant-modal .ant-btn-primary').click();
  const row = page.locator(rows, { hasText: user });
  await row.waitFor();
  await visitor.shoot('keys');

  const guest = await Visitor.open(browser, domain, language);
  await guest.signIn(secret);
  await guest.heading(guest.say('全局总览', 'Overview'));
  await guest.press('g', 'j');
  await guest.sees('hello', rows);
  await row.getByRole('button').click();
  await page.locator('.ant-modal .ant-btn-dangerous').click();
  await visitor.sees(visitor.say('已吊销', 'Revoked'), rows);
  await guest.page.reload();
  await guest.sees(guest.say('密钥已失效', 'The key has expired'));
  await guest.close();
}

/**
 * Lets a domain join in the browser: token, approval, its sites and those below it, where they are;
 * then refuses it. Who is no operator sees the tree and no buttons.
 */
async function network(visitor, { browser, domain, world }) {
  const { page, language } = visitor;
  const name = `child-${language}`;
  const joined = [];
  const join = async (parent, token, child, city) => {
    const flags = ['--join', parent.url, '--site', 'centre', '--city', city, '--cores', '1'];
    const env = { SUAN_JOIN_TOKEN: token };
    joined.push(await Domain.start(domain.program, { name: child, flags, env }));
    return joined.at(-1);
  };
  try {
    await visitor.press('g', 'n');
    await visitor.heading(visitor.say('网络', 'Network'));
    if (language === 'zh') {
      await visitor.sees('还没有节点加入本节点', '.how-to-join');
      await visitor.shoot('network-empty');
    }
    await page.getByRole('button', { name: visitor.say('新建加入令牌', 'New join token') }).click();
    await page.locator('#label').fill('for the test');
    await page.locator('.ant-modal .ant-btn-primary').click();
    const token = await page.locator('[data-secret]').textContent();
    const command = await page.locator('.ant-modal [data-command]').textContent();
    assert.equal(command, `SUAN_JOIN_TOKEN=${token} \\\n  suan serve --join ${domain.url}`);
    await visitor.shoot('join-token');
    await page.locator('.ant-modal .ant-btn-primary').click();

    const child = await join(domain, token, name, '贵阳');
    const row = page.locator(rows, { has: page.locator('b', { hasText: name }) });
    await row.locator('[data-join=asked]:visible').waitFor();
    await visitor.shoot('network-asked');
    const [approve, refuse] = visitor.say(['批准', '拒绝'], ['Approve', 'Refuse']);
    await row.getByRole('button', { name: `${approve} ${name}` }).click();
    await page.locator('.ant-modal .code').waitFor();
    await visitor.shoot('network-approve');
    await page.locator('.ant-modal .ant-btn-primary').click();
    await row.locator('[data-join=approved]:visible').waitFor();
    await row.locator('[data-connected=true]:visible').waitFor();
    await row.locator('[data-rtt]:visible').waitFor();

    const { secret } = await child.post('/v1/join-tokens', { label: 'below' });
    await join(child, secret, 'below', '成都');
    await child.awaitMember('below', (member) => member.state === 'asked');
    await child.post('/v1/members/below/approve');
    const below = page.locator(rows, { has: page.locator('b', { hasText: /^below$/ }) });
    await below.first().waitFor();
    await visitor.sees(visitor.say('成都', 'Chengdu'), rows);
    await page.locator('.chart svg').getByText(`${name}.below.centre`).first().waitFor();
    await page.locator('.chart svg').getByText(/^[\d.]+ ms$/).first().waitFor();
    await visitor.shoot('network', { fullPage: true });
    await page.setViewportSize({ width: 390, height: 844 });
    await row.locator('.network-narrow [data-join=approved]').waitFor();
    await visitor.shoot('network-narrow', { fullPage: true });
    await page.setViewportSize({ width: 1440, height: 900 });

    const guest = await Visitor.open(browser, domain, language);
    const user = `reader-${language}`;
    const body = { user, role: 'consumer', projects: [world.project], label: '' };
    await guest.signIn((await domain.post('/v1/keys', body)).secret);
    await guest.heading(guest.say('全局总览', 'Overview'));
    await guest.press('g', 'n');
    await guest.sees(name, rows);
    assert.equal(await guest.page.getByRole('button', { name: approve }).count(), 0);
    assert.equal(await guest.page.locator('.page-tools').count(), 0);
    await guest.close();

    const keeper = await Visitor.open(browser, child, language);
    await keeper.signIn(child.key);
    await keeper.heading(keeper.say('全局总览', 'Overview'));
    await keeper.press('g', 'n');
    await keeper.page.locator('.network-parent [data-connected=true]:visible').waitFor();
    await keeper.shoot('network-of-the-child');
    await keeper.close();

    await child.kill();
    await row.locator('[data-connected=false]:visible').waitFor();
    await visitor.shoot('network-cut');
    await child.serve();
    await row.locator('[data-connected=true]:visible').waitFor();
    await row.getByRole('button', { name: `${refuse} ${name}` }).click();
    await page.locator('.ant-modal .ant-btn-dangerous').click();
    await row.locator('[data-join=refused]:visible').waitFor();
    await row.locator('[data-connected=false]:visible').waitFor();
    await visitor.shoot('network-refused');
  } finally {
    await Promise.all(joined.map((each) => each.stop()));
  }
}

/** Opens the help, and changes the language; the choice outlives a reload. */
async function comforts(visitor) {
  const { page } = visitor;
  await visitor.press('?');
  await visitor.sees(visitor.say('在列表中移动', 'Move in a list'), '.ant-modal');
  await visitor.press('Escape');
  await page.locator('.ant-modal').waitFor({ state: 'hidden' });
  const [here, there] = visitor.language === 'zh' ? ['中文', 'English'] : ['English', '中文'];
  await page.locator('.head').getByText(there, { exact: true }).click();
  await visitor.sees(visitor.say('Overview', '全局总览'), 'nav');
  await page.reload();
  await visitor.sees(visitor.say('Overview', '全局总览'), 'nav');
  await page.locator('.head').getByText(here, { exact: true }).click();
  await visitor.sees(visitor.say('全局总览', 'Overview'), 'nav');
}

/** The domain dies and comes back: the console says so, and goes on by itself. */
async function cut(visitor, { domain, world }) {
  const { page } = visitor;
  await visitor.press('g', 'j');
  await visitor.sees('hello', rows);
  await domain.kill();
  await page.locator('.live.reconnecting').waitFor();
  await visitor.shoot('reconnecting');
  assert.ok((await page.locator(rows).count()) > 0, 'what was there stays');
  await domain.serve();
  await page.locator('.live.live').waitFor({ timeout: 40_000 });
  const { id } = await domain.post('/v1/jobs', {
    name: `after-${visitor.language}`, project: world.project, run: 'true', resources: { cpus: 1 },
  });
  await visitor.sees(`after-${visitor.language}`, rows);
  assert.match(id, /^job-/);
}

export const scenarios = {
  overview, jobs, logs, why, supply, ledger, keys, network, comforts, cancel, cut,
};
