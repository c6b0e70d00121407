import { Select } from 'antd';
import { useState } from 'react';
import { showMilli, showSpan, spanBetween } from '../format';
import { useWords, type Words } from '../i18n';
import { useLoad, useNow, usePages } from '../load';
import { LoadedView } from '../parts/loaded';
import { Ago, JobLink, MoneyText, StateTag } from '../parts/marks';
import { More } from '../parts/more';
import { PageHead } from '../parts/panel';
import { Rows } from '../parts/rows';
import { isFound, Search } from '../parts/search';
import { go, replaceQuery, useRoute } from '../route';
import { useSession } from '../session';
import {
  isNamed,
  isSet,
  jobStates,
  type JobList,
  type JobView,
  type ProjectList,
} from '../views';

const pageRows = 50;

/** All jobs that the key may see, newest first, live. */
export function Jobs() {
  const { t, name } = useWords();
  const { api } = useSession();
  const { query } = useRoute();
  const state = query.get('state') ?? '';
  const project = query.get('project') ?? '';
  const [text, setText] = useState('');
  const jobs = usePages<JobView, null>(
    `jobs/${state}/${project}`,
    async (before, signal) => {
      const params = { state, project, before, limit: pageRows };
      const page = await api.get<JobList>('/v1/jobs', params, signal);
      return { rows: page.jobs, next: page.next, head: null };
    },
    { on: (notice) => isNamed(notice.job) },
  );
  // "job-42" or "42" and Enter leads straight to that job, whether or not it is on this page.
  const openByName = (entered: string) => {
    const number = /^(?:job-)?(\d+)$/.exec(entered);
    if (number) go('jobs', `job-${number[1]}`);
  };
  return (
    <>
      <PageHead title={t('nav.jobs')} note={t('jobs.note')}>
        <Search
          value={text}
          onChange={setText}
          onEnter={openByName}
          placeholder={t('jobs.search')}
        />
        <Select
          aria-label={t('field.state')}
          className="filter"
          value={state}
          onChange={(value) => replaceQuery({ state: value, project })}
          options={[
            { value: '', label: t('jobs.any_state') },
            ...jobStates.map((one) => ({ value: one as string, label: name('state', one) })),
          ]}
        />
        <ProjectSelect
          value={project}
          onChange={(value) => replaceQuery({ state, project: value })}
        />
      </PageHead>
      <LoadedView of={jobs} rows={8}>
        {({ rows }) => (
          <>
            <JobRows
              rows={rows.filter((job) =>
                isFound(text, [job.id, job.name, job.user, job.project, job.pool, job.chip]),
              )}
              isFiltered={!!(state || project || text)}
            />
            <More of={jobs} />
          </>
        )}
      </LoadedView>
    </>
  );
}

/** Chooses a project that the key may see, or all of them (""). */
export function ProjectSelect(props: { value: string; onChange: (project: string) => void }) {
  const { t } = useWords();
  const { api, me } = useSession();
  const list = useLoad('projects', (signal) => api.get<ProjectList>('/v1/projects', {}, signal));
  const names = list.value?.projects.map((project) => project.name) ?? me.projects;
  return (
    <Select
      showSearch
      aria-label={t('noun.project')}
      className="filter"
      value={props.value}
      onChange={props.onChange}
      options={[
        { value: '', label: t('jobs.any_project') },
        ...names.map((one) => ({ value: one, label: one })),
      ]}
    />
  );
}

function JobRows({ rows, isFiltered }: { rows: JobView[]; isFiltered: boolean }) {
  const words = useWords();
  const { t } = words;
  return (
    <Rows<JobView>
      label={t('nav.jobs')}
      empty={t(isFiltered ? 'jobs.none_found' : 'jobs.empty')}
      rowKey="id"
      dataSource={rows}
      open={(job) => go('jobs', job.id)}
      columns={[
        {
          title: t('noun.job'),
          render: (_, job) => (
            <div className="two-lines">
              <JobLink id={job.id} text={job.name || job.id} />
              <span className="quiet">{job.id}</span>
            </div>
          ),
        },
        {
          title: t('field.state'),
          render: (_, job) => (
            <div className="two-lines">
              <StateTag state={job.state} />
              <span className="quiet reason" title={words.told(job.reason)}>
                {words.told(job.reason)}
              </span>
            </div>
          ),
        },
        {
          title: t('noun.project'),
          render: (_, job) => (
            <div className="two-lines">
              <span>{job.project}</span>
              <span className="quiet">{job.user}</span>
            </div>
          ),
        },
        {
          title: t('field.asked'),
          render: (_, job) => (
            <div className="two-lines">
              <span>{askedText(job, words)}</span>
              <span className="quiet">{job.pool || '—'}</span>
            </div>
          ),
        },
        { title: t('field.submitted'), render: (_, job) => <Ago at={job.submitted} /> },
        { title: t('field.ran'), render: (_, job) => <Ran job={job} /> },
        {
          title: t('field.cost'),
          align: 'right',
          render: (_, job) => <MoneyText amount={job.cost} isQuiet />,
        },
      ]}
    />
  );
}

/** "2 × 8 H800-SXM", "4 × 16 cores": tasks times cards of a chip, or cores where there are none. */
export function askedText(job: JobView, { t }: Words): string {
  const tasks = job.nodes * job.elements;
  let each = t('chip.none');
  if (job.card_milli > 0) each = `${showMilli(job.card_milli)} ${job.chip}`.trim();
  else if (job.cpu_milli > 0) each = t('unit.cores', { count: showMilli(job.cpu_milli) });
  return tasks > 1 ? `${tasks} × ${each}` : each;
}

function Ran({ job }: { job: JobView }) {
  const { language } = useWords();
  const isRunning = isSet(job.started) && !isSet(job.ended);
  const now = useNow(isRunning ? 1000 : 0);
  if (!isSet(job.started)) return <span className="quiet">—</span>;
  return (
    <span className="number">{showSpan(spanBetween(job.started, job.ended, now), language)}</span>
  );
}
