import { Tag, Tooltip, Typography } from 'antd';
import { showAge, showMoment } from '../format';
import { useWords } from '../i18n';
import { useNow } from '../load';
import { isZero, showMoney } from '../money';
import { printRoute } from '../route';
import { isNamed, isSet, type Id, type Moment, type Money } from '../views';
import { stateColors } from './colors';

const isMoving = new Set<string>(['reserving', 'staging', 'running', 'stopping']);

/** The state of a job, task or attempt: a word with a mark of its colour. */
export function StateTag({ state }: { state: string }) {
  const { name } = useWords();
  const color = (stateColors as Record<string, string>)[state] ?? '#8c8c8c';
  return (
    <span className="state" data-state={state}>
      <i className={isMoving.has(state) ? 'dot moving' : 'dot'} style={{ background: color }} />
      {name('state', state)}
    </span>
  );
}

const healthColors: Record<string, string> = { ok: 'green', warning: 'orange', critical: 'red' };

export function HealthTag({ health }: { health: string }) {
  const { name } = useWords();
  return <Tag color={healthColors[health] ?? 'default'}>{name('health', health)}</Tag>;
}

/** An amount of CNY; with `isQuiet`, nothing is shown as a dash. */
export function MoneyText(props: { amount: Money; isQuiet?: boolean; suffix?: string }) {
  const { amount, isQuiet = false, suffix = '' } = props;
  if (isQuiet && isZero(amount)) return <span className="quiet">—</span>;
  return (
    <span className="number">
      {showMoney(amount)}
      {suffix && <span className="quiet">{suffix}</span>}
    </span>
  );
}

/** A moment in local time; its UTC form on hover. */
export function When({ at }: { at: Moment }) {
  if (!isSet(at)) return <span className="quiet">—</span>;
  return (
    <Tooltip title={at}>
      <time dateTime={at} className="number">
        {showMoment(at)}
      </time>
    </Tooltip>
  );
}

/** How long ago a moment was; renews itself. */
export function Ago({ at }: { at: Moment }) {
  const { language } = useWords();
  const now = useNow(10_000);
  if (!isSet(at)) return <span className="quiet">—</span>;
  return (
    <Tooltip title={`${showMoment(at)} · ${at}`}>
      <time dateTime={at}>{showAge(at, now, language)}</time>
    </Tooltip>
  );
}

export function JobLink({ id, text }: { id: Id; text?: string }) {
  if (!isNamed(id)) return <span className="quiet">—</span>;
  return <a href={printRoute('jobs', id)}>{text || id}</a>;
}

/** A name that machines gave: fixed width, and copied with one click. */
export function Code({ text, isCopied = false }: { text: string; isCopied?: boolean }) {
  if (!text) return <span className="quiet">—</span>;
  return (
    <Typography.Text code copyable={isCopied} className="code">
      {text}
    </Typography.Text>
  );
}
