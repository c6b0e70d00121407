import { DownloadOutlined } from '@ant-design/icons';
import { Button, Checkbox, Segmented, Select } from 'antd';
import { memo, useEffect, useMemo, useRef, useState } from 'react';
import { path } from '../api';
import { saveFile } from '../csv';
import { useWords } from '../i18n';
import { LogStream, type LogPlace, type LogState } from '../log_stream';
import { LogText, type LogBlock } from '../log_text';
import { useSession } from '../session';
import type { AttemptView, JobView, Problem } from '../views';
import { ProblemView } from './problem';

/** The logs of a job: which task, attempt and stream, and then the lines as they come. */
export function JobLogs({ job }: { job: JobView }) {
  const { t } = useWords();
  const [task, setTask] = useState(0);
  const [chosen, setChosen] = useState<number | null>(null);
  const [stream, setStream] = useState<LogPlace['stream']>('stdout');
  const attempts = job.tasks.find((one) => one.task === task)?.attempts ?? [];
  const attempt = attempts.find((one) => one.number === chosen) ?? attempts.at(-1);
  return (
    <div className="logs">
      <div className="log-tools">
        <Segmented
          value={stream}
          onChange={setStream}
          options={[
            { value: 'stdout', label: 'stdout' },
            { value: 'stderr', label: 'stderr' },
          ]}
        />
        {job.tasks.length > 1 && (
          <Select
            showSearch
            aria-label={t('noun.task')}
            value={task}
            onChange={(value) => {
              setTask(value);
              setChosen(null);
            }}
            options={job.tasks.map((one) => ({
              value: one.task,
              label: t('log.task', { task: one.task }),
            }))}
          />
        )}
        {attempts.length > 1 && (
          <Select
            aria-label={t('noun.attempt')}
            value={attempt?.number ?? null}
            onChange={setChosen}
            options={attempts.map((one) => ({
              value: one.number,
              label: t('log.attempt', { attempt: one.number }),
            }))}
          />
        )}
      </div>
      {attempt ? (
        <Log
          key={`${task}/${attempt.number}/${stream}`}
          place={{ job: job.id, task, attempt: attempt.number, stream }}
          attempt={attempt}
        />
      ) : (
        <div className="log-empty">{t('log.not_started')}</div>
      )}
    </div>
  );
}

/** Follows the log at `place`; the caller gives each place a key of its own. */
function useLog(place: LogPlace, isOver: boolean) {
  const { api } = useSession();
  const over = useRef(isOver);
  over.current = isOver;
  const text = useMemo(() => new LogText(), []);
  const [blocks, setBlocks] = useState<readonly LogBlock[]>([]);
  const [state, setState] = useState<{ state: LogState; problem?: Problem | undefined }>({
    state: 'opening',
  });
  useEffect(() => {
    let frame = 0;
    const stream = new LogStream(api, {
      place,
      isOver: () => over.current,
      onText: (piece) => {
        text.feed(piece);
        frame ||= requestAnimationFrame(() => {
          frame = 0;
          setBlocks([...text.blocks]);
        });
      },
      onState: (next, problem) => setState({ state: next, problem }),
    });
    void stream.run();
    return () => {
      stream.stop();
      cancelAnimationFrame(frame);
    };
    // `place` is fixed for the life of this part: see `key` above.
  }, [api, text]);
  return { blocks, dropped: text.dropped, ...state };
}

function Log({ place, attempt }: { place: LogPlace; attempt: AttemptView }) {
  const { t, name } = useWords();
  const { blocks, dropped, state, problem } = useLog(place, attempt.state === 'ended');
  const [isFollowed, setFollowed] = useState(true);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (isFollowed && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [blocks, isFollowed]);

  // Scrolling up lets go of the end; scrolling down to it takes hold again.
  const onScroll = () => {
    const { scrollTop, scrollHeight, clientHeight } = box.current!;
    setFollowed(scrollHeight - scrollTop - clientHeight < 24);
  };
  return (
    <>
      <div className="log-status">
        <span className={`log-state ${state}`} role="status">
          {name('log.state', state)}
        </span>
        <Checkbox checked={isFollowed} onChange={(event) => setFollowed(event.target.checked)}>
          {t('log.follow')}
        </Checkbox>
        <SaveLog place={place} />
      </div>
      {problem && <ProblemView problem={problem} />}
      <div
        className="log"
        ref={box}
        role="log"
        aria-label={t('log.label', { stream: place.stream })}
        aria-live="off"
        tabIndex={0}
        onScroll={onScroll}
      >
        {dropped > 0 && <div className="quiet">{t('log.dropped', { count: dropped })}</div>}
        {blocks.length === 0 && <div className="quiet">{t('log.empty')}</div>}
        {blocks.map((block) => (
          <Block key={block.first} block={block} />
        ))}
      </div>
    </>
  );
}

const Block = memo(function Block({ block }: { block: LogBlock }) {
  return (
    <>
      {block.lines.map((line, i) => (
        <div className="line" key={i}>
          <span className="line-number" data-number={block.first + i + 1} />
          <span className="line-text">{line || '\u200b'}</span>
        </div>
      ))}
    </>
  );
});

function SaveLog({ place }: { place: LogPlace }) {
  const { t } = useWords();
  const { api } = useSession();
  const [isBusy, setBusy] = useState(false);
  const save = async () => {
    setBusy(true);
    try {
      const { job, ...params } = place;
      const response = await api.stream(
        path`/v1/jobs/${job}/logs`,
        { ...params, offset: 0 },
        new AbortController().signal,
      );
      const name = `${job}-${place.task}-${place.attempt}.${place.stream}.txt`;
      if (response.ok) saveFile(name, 'text/plain', await response.blob());
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button size="small" icon={<DownloadOutlined />} loading={isBusy} onClick={() => void save()}>
      {t('log.save')}
    </Button>
  );
}
