/**
 * Fills a domain with what the scenarios look at: a project with money, a job that has ended, two
 * that go on writing, and one that must wait for them.
 */
export async function fill(domain) {
  await domain.post('/v1/projects', { name: 'lab-e2e' });
  await domain.post('/v1/projects/lab-e2e/deposits', { amount: '1234.5', text: 'for the test' });
  const submit = async (name, run, cpus) => {
    const spec = { name, project: 'lab-e2e', run, resources: { cpus }, max_duration: '20m' };
    return (await domain.post('/v1/jobs', spec)).id;
  };
  const done = await submit('hello', 'echo "hello from 算河"; echo "to the side" >&2', 1);
  await domain.awaitJob(done, ['finished']);
  const count = 'for i in $(seq 4000); do echo "line $i"; echo "aside $i" >&2; sleep 0.3; done';
  const running = { zh: await submit('count-zh', count, 1), en: await submit('count-en', count, 1) };
  for (const id of Object.values(running)) await domain.awaitJob(id, ['running']);
  const { cpu_total_milli } = await domain.get('/v1/domain');
  const waiting = await submit('all-cores', 'nproc', cpu_total_milli / 1000);
  await domain.awaitJob(waiting, ['queued']);
  return { done, running, waiting, project: 'lab-e2e' };
}
