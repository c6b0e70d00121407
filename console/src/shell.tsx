import {
  AccountBookOutlined,
  ApartmentOutlined,
  ClusterOutlined,
  DashboardOutlined,
  KeyOutlined,
  LogoutOutlined,
  QuestionCircleOutlined,
  UnorderedListOutlined,
} from '@ant-design/icons';
import { Button, Dropdown, Result } from 'antd';
import {
  lazy,
  Suspense,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
  type ReactNode,
} from 'react';
import type { Api } from './api';
import { Feed, FeedContext } from './feed';
import { useWords } from './i18n';
import icon from './icon.svg';
import { Job } from './pages/job';
import { Jobs } from './pages/jobs';
import { Keys } from './pages/keys';
import { Ledger } from './pages/ledger';
import { Supply } from './pages/supply';
import { Help } from './parts/help';
import { LanguageSwitch } from './parts/language';
import { LiveMark } from './parts/live';
import { focusFirstRow } from './parts/rows';
import { printRoute, useRoute, type Route } from './route';
import { useSession } from './session';
import { useShortcuts } from './shortcuts';
import type { DomainView } from './views';
import { EventWatch } from './watch';

const Overview = lazy(async () => ({ default: (await import('./pages/overview')).Overview }));
const Network = lazy(async () => ({ default: (await import('./pages/network')).Network }));

/** How far back the activity of the overview reaches when the console opens. */
const recalled = 40;

const pages = [
  { page: 'overview', word: 'nav.overview', icon: <DashboardOutlined /> },
  { page: 'jobs', word: 'nav.jobs', icon: <UnorderedListOutlined /> },
  { page: 'supply', word: 'nav.supply', icon: <ClusterOutlined /> },
  { page: 'network', word: 'nav.network', icon: <ApartmentOutlined /> },
  { page: 'ledger', word: 'nav.ledger', icon: <AccountBookOutlined /> },
  { page: 'keys', word: 'nav.keys', icon: <KeyOutlined /> },
] as const;

/** What is around every page: the way to the others, who I am, whether it is live. */
export function Shell() {
  const { api, signOut } = useSession();
  const route = useRoute();
  const [isHelped, setHelped] = useState(false);
  const { feed, retryNow } = useDomainFeed(api, signOut);
  const help = useCallback(() => setHelped(true), []);
  useShortcuts(help, focusFirstRow);
  const place = `${route.page}/${route.id}`;
  useEffect(() => {
    scrollTo(0, 0);
  }, [place]);
  return (
    <FeedContext value={feed}>
      <div className="shell">
        <Side route={route} onHelp={help} />
        <div className="middle">
          <Head retryNow={retryNow} />
          <main className="page" key={place}>
            <Suspense fallback={null}>{pageOf(route)}</Suspense>
          </main>
        </div>
        {isHelped && <Help onClose={() => setHelped(false)} />}
      </div>
    </FeedContext>
  );
}

function pageOf(route: Route): ReactNode {
  switch (route.page) {
    case '':
    case 'overview':
    case 'login':
      return <Overview />;
    case 'jobs':
      return route.id ? <Job id={route.id} /> : <Jobs />;
    case 'supply':
      return <Supply />;
    case 'network':
      return <Network />;
    case 'ledger':
      return <Ledger />;
    case 'keys':
      return <Keys />;
    default:
      return <NoPage />;
  }
}

function NoPage() {
  const { t } = useWords();
  return (
    <Result
      status="404"
      title={t('nopage')}
      extra={<a href={printRoute('overview')}>{t('nav.overview')}</a>}
    />
  );
}

// One stream of events for the whole console, as long as somebody is signed in.
function useDomainFeed(api: Api, signOut: () => void) {
  const feed = useMemo(() => new Feed(), [api]);
  const watch = useRef<EventWatch | null>(null);
  useEffect(() => {
    const newest = async () => (await api.get<DomainView>('/v1/domain')).sequence;
    const stream = new EventWatch({
      open: (after, signal) =>
        api.stream('/v1/events', { after: after ?? undefined }, signal, {
          Accept: 'text/event-stream',
          ...(after !== null && { 'Last-Event-ID': after }),
        }),
      newest,
      onNotice: (notice) => feed.push(notice),
      onStatus: (status) => feed.tell(status),
      onResumed: () => feed.missed(),
      onUnauthorised: signOut,
    });
    watch.current = stream;
    void newest()
      .then((sequence) => Math.max(0, sequence - recalled))
      .catch(() => null)
      .then((after) => stream.run(after));
    const retry = () => stream.retryNow();
    addEventListener('online', retry);
    return () => {
      removeEventListener('online', retry);
      stream.stop();
    };
  }, [api, feed, signOut]);
  const retryNow = useCallback(() => watch.current?.retryNow(), []);
  return { feed, retryNow };
}

function Side({ route, onHelp }: { route: Route; onHelp: () => void }) {
  const { t } = useWords();
  const here = route.page || 'overview';
  return (
    <aside className="side">
      <a className="brand" href={printRoute('overview')}>
        <img src={icon} alt="" width={30} height={30} />
        <span>{t('brand')}</span>
      </a>
      <nav aria-label={t('nav.label')}>
        {pages.map(({ page, word, icon }) => (
          <a
            key={page}
            href={printRoute(page)}
            aria-current={page === here ? 'page' : undefined}
            title={t(word)}
          >
            {icon}
            <span>{t(word)}</span>
            <kbd aria-hidden>g {page[0]}</kbd>
          </a>
        ))}
      </nav>
      <Button
        type="text"
        className="side-help"
        icon={<QuestionCircleOutlined />}
        onClick={onHelp}
      >
        <span>{t('help.title')}</span>
      </Button>
    </aside>
  );
}

function Head({ retryNow }: { retryNow: () => void }) {
  const { t, name } = useWords();
  const { me, signOut } = useSession();
  return (
    <header className="head">
      <LiveMark retry={retryNow} />
      <div className="head-tools">
        <LanguageSwitch />
        <Dropdown
          trigger={['click']}
          menu={{
            items: [
              { key: 'who', type: 'group', label: `${me.organisation} · ${name('role', me.role)}` },
              { key: 'out', icon: <LogoutOutlined />, label: t('login.out'), onClick: signOut },
            ],
          }}
        >
          <Button aria-label={t('login.who', { user: me.user })}>{me.user}</Button>
        </Dropdown>
      </div>
    </header>
  );
}
