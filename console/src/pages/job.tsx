import { StopOutlined } from '@ant-design/icons';
import { Alert, App, Breadcrumb, Button, Modal, Tabs } from 'antd';
import { useMemo, useState } from 'react';
import { Intent, path, problemOf } from '../api';
import { useWords } from '../i18n';
import { useLoad } from '../load';
import { Charges, useCharges } from '../parts/charges';
import { Facts, Tasks } from '../parts/job_facts';
import { JobMoney } from '../parts/job_money';
import { LoadedView } from '../parts/loaded';
import { JobLogs } from '../parts/log_view';
import { StateTag } from '../parts/marks';
import { Panel } from '../parts/panel';
import { ProblemView } from '../parts/problem';
import { Why } from '../parts/why';
import { printRoute, replaceQuery, useRoute } from '../route';
import { useSession } from '../session';
import {
  isOver,
  isWaiting,
  type Accepted,
  type JobView,
  type Problem,
  type WhyView,
} from '../views';

const tabs = ['facts', 'logs', 'why', 'cost'] as const;

/** Everything about one job. */
export function Job({ id }: { id: string }) {
  const { t } = useWords();
  const { api } = useSession();
  const [isLive, setLive] = useState(false);
  const job = useLoad(
    id,
    async (signal) => {
      const view = await api.get<JobView>(path`/v1/jobs/${id}`, {}, signal);
      setLive(!isOver(view.state));
      return view;
    },
    // Cost accrues and usage grows without a notice.
    { on: (notice) => notice.job === id, everyMs: isLive ? 5000 : undefined },
  );
  return (
    <>
      <Breadcrumb
        items={[{ title: <a href={printRoute('jobs')}>{t('nav.jobs')}</a> }, { title: id }]}
      />
      <LoadedView of={job} rows={8}>
        {(view) => <JobBody job={view} reload={job.reload} />}
      </LoadedView>
    </>
  );
}

function JobBody({ job, reload }: { job: JobView; reload: () => void }) {
  const { t, told } = useWords();
  const { query } = useRoute();
  const asked = query.get('tab') ?? '';
  const tab = tabs.find((one) => one === asked) ?? 'facts';
  return (
    <>
      <div className="page-head job-head">
        <div>
          <h1>
            {job.name || job.id} <StateTag state={job.state} />
          </h1>
        </div>
        <div className="page-tools">
          <Cancel job={job} onDone={reload} />
        </div>
      </div>
      {job.reason && (
        <Alert
          className="job-reason"
          showIcon
          type={job.state === 'failed' || job.state === 'lost' ? 'error' : 'info'}
          title={told(job.reason)}
          action={
            isWaiting(job.state) &&
            tab !== 'why' && (
              <Button size="small" onClick={() => replaceQuery({ tab: 'why' })}>
                {t('job.ask_why')}
              </Button>
            )
          }
        />
      )}
      <Tabs
        activeKey={tab}
        onChange={(key) => replaceQuery({ tab: key })}
        destroyOnHidden
        items={[
          {
            key: 'facts',
            label: t('job.facts'),
            children: (
              <div className="stack">
                <Facts job={job} />
                <Tasks job={job} />
              </div>
            ),
          },
          { key: 'logs', label: t('job.logs'), children: <JobLogs job={job} /> },
          { key: 'why', label: t('job.why'), children: <WhyTab job={job} /> },
          { key: 'cost', label: t('job.cost'), children: <CostTab job={job} /> },
        ]}
      />
    </>
  );
}

function WhyTab({ job }: { job: JobView }) {
  const { api } = useSession();
  const why = useLoad(
    `why/${job.id}`,
    (signal) => api.get<WhyView>(path`/v1/jobs/${job.id}/why`, {}, signal),
    // While it waits, any change of the domain may change the answer.
    { on: (notice) => isWaiting(job.state) || notice.job === job.id },
  );
  return <LoadedView of={why}>{(value) => <Why why={value} />}</LoadedView>;
}

function CostTab({ job }: { job: JobView }) {
  const { t } = useWords();
  const charges = useCharges({ job: job.id });
  return (
    <div className="stack">
      <JobMoney job={job} />
      <Panel title={t('ledger.charges')}>
        <Charges of={charges} name={`${job.id}-charges`} />
      </Panel>
    </div>
  );
}

function Cancel({ job, onDone }: { job: JobView; onDone: () => void }) {
  const { t } = useWords();
  const { api } = useSession();
  const { message } = App.useApp();
  const intent = useMemo(() => new Intent(), []);
  const [isOpen, setOpen] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const cancel = async () => {
    setBusy(true);
    setProblem(null);
    try {
      const change = { method: 'POST', path: path`/v1/jobs/${job.id}/cancel` } as const;
      await api.change<Accepted>(change, intent);
      setOpen(false);
      void message.success(t('cancel.done'));
      onDone();
    } catch (error) {
      setProblem(problemOf(error));
    }
    setBusy(false);
  };
  if (isOver(job.state)) return null;
  return (
    <>
      <Button
        danger
        icon={<StopOutlined />}
        disabled={job.state === 'stopping' && job.reason === 'stopping on request'}
        onClick={() => setOpen(true)}
      >
        {t('cancel.do')}
      </Button>
      <Modal
        open={isOpen}
        title={t('cancel.title', { job: job.name || job.id })}
        okText={t('cancel.do')}
        okButtonProps={{ danger: true, loading: isBusy }}
        cancelText={t('cancel.keep')}
        onOk={() => void cancel()}
        onCancel={() => setOpen(false)}
      >
        <p>{t('cancel.text')}</p>
        {problem && <ProblemView problem={problem} />}
      </Modal>
    </>
  );
}
