import { Descriptions } from 'antd';
import { showBytes, showMilli, showSpan, spanBetween } from '../format';
import { useWords } from '../i18n';
import { useNow } from '../load';
import { askedText } from '../pages/jobs';
import { isOver, isSet, type AttemptView, type JobView, type TaskView } from '../views';
import { Code, MoneyText, StateTag, When } from './marks';
import { Panel } from './panel';
import { Rows } from './rows';

/** What a job is and when it did what. */
export function Facts({ job }: { job: JobView }) {
  const words = useWords();
  const { t, name, language } = words;
  const isRunning = isSet(job.started) && !isSet(job.ended);
  const now = useNow(isRunning ? 1000 : 0);
  const span = (seconds: number) => (seconds > 0 ? showSpan(seconds, language) : '—');
  return (
    <Panel title={t('job.facts')}>
      <Descriptions
        size="small"
        column={{ xs: 1, sm: 2, lg: 3 }}
        items={[
          { label: t('field.id'), children: <Code text={job.id} isCopied /> },
          { label: t('field.kind'), children: name('kind', job.kind) },
          { label: t('noun.project'), children: job.project },
          { label: t('noun.user'), children: job.user },
          { label: t('noun.pool'), children: job.pool || '—' },
          { label: t('field.asked'), children: askedText(job, words) },
          {
            label: t('field.per_node'),
            children: t('job.per_node', {
              cores: showMilli(job.cpu_milli),
              memory: showBytes(job.memory_bytes),
            }),
          },
          { label: t('field.submitted'), children: <When at={job.submitted} /> },
          { label: t('field.started'), children: <When at={job.started} /> },
          { label: t('field.ended'), children: <When at={job.ended} /> },
          {
            label: t('field.waited'),
            children: span(
              spanBetween(job.submitted, isSet(job.started) ? job.started : job.ended, now),
            ),
          },
          {
            label: t('field.ran'),
            children: span(spanBetween(job.started, job.ended, now)),
          },
          { label: t('field.max_duration'), children: span(job.max_duration) },
          {
            label: t('field.cost'),
            children: <MoneyText amount={job.cost} />,
          },
          {
            label: t('field.exit_code'),
            children: isOver(job.state) ? <Code text={String(job.exit_code)} /> : '—',
          },
        ]}
      />
    </Panel>
  );
}

/** The tasks of a job with their attempts; the attempts alone where there is one task. */
export function Tasks({ job }: { job: JobView }) {
  const { t, told } = useWords();
  const only = job.tasks.length === 1 ? job.tasks[0] : undefined;
  if (only) {
    return (
      <Panel title={t('job.attempts')} isFlush>
        <Attempts attempts={only.attempts} />
      </Panel>
    );
  }
  return (
    <Panel title={t('job.tasks', { count: job.tasks.length })} isFlush>
      <Rows<TaskView>
        label={t('noun.task')}
        empty={t('job.no_tasks')}
        size="small"
        rowKey="task"
        dataSource={job.tasks}
        pagination={job.tasks.length > 50 ? { pageSize: 50, showSizeChanger: false } : false}
        expandable={{
          rowExpandable: (task) => task.attempts.length > 0,
          expandedRowRender: (task) => <Attempts attempts={task.attempts} />,
        }}
        columns={[
          { title: t('noun.task'), dataIndex: 'task' },
          { title: t('field.state'), render: (_, task) => <StateTag state={task.state} /> },
          { title: t('job.attempts'), align: 'right', render: (_, task) => task.attempts.length },
          { title: t('noun.pool'), render: (_, task) => task.attempts.at(-1)?.pool || '—' },
          {
            title: t('field.reason'),
            render: (_, task) => <div className="note">{told(task.attempts.at(-1)?.reason || '—')}</div>,
          },
        ]}
      />
    </Panel>
  );
}

function Attempts({ attempts }: { attempts: AttemptView[] }) {
  const { t, name, told, language } = useWords();
  return (
    <Rows<AttemptView>
      label={t('job.attempts')}
      empty={t('job.no_attempts')}
      size="small"
      rowKey="number"
      dataSource={attempts}
      columns={[
        { title: t('noun.attempt'), dataIndex: 'number' },
        { title: t('field.state'), render: (_, row) => <StateTag state={row.state} /> },
        {
          title: t('field.end'),
          render: (_, row) => (row.end && row.end !== 'none' ? name('end', row.end) : '—'),
        },
        {
          title: t('field.exit_code'),
          align: 'right',
          render: (_, row) => (row.state === 'ended' ? <Code text={String(row.exit_code)} /> : '—'),
        },
        { title: t('noun.pool'), dataIndex: 'pool' },
        { title: t('field.started'), render: (_, row) => <When at={row.started} /> },
        { title: t('field.ended'), render: (_, row) => <When at={row.ended} /> },
        {
          title: t('field.wall'),
          align: 'right',
          render: (_, row) => showSpan(row.usage.wall, language),
        },
        {
          title: t('field.cpu_time'),
          align: 'right',
          render: (_, row) => showSpan(row.usage.cpu, language),
        },
        {
          title: t('field.memory_peak'),
          align: 'right',
          render: (_, row) => showBytes(row.usage.memory_peak_bytes),
        },
        {
          title: t('field.cost'),
          align: 'right',
          render: (_, row) => <MoneyText amount={row.cost} isQuiet />,
        },
        { title: t('field.reason'), render: (_, row) => <div className="note">{told(row.reason)}</div> },
      ]}
    />
  );
}
