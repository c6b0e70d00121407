import { Card } from 'antd';
import { useId, type ReactNode } from 'react';

/** A titled piece of a page. */
export function Panel(props: {
  title: ReactNode;
  extra?: ReactNode;
  children: ReactNode;
  isFlush?: boolean;
}) {
  const id = useId();
  return (
    <section aria-labelledby={id} className={props.isFlush ? 'panel flush' : 'panel'}>
      <Card
        title={<h2 id={id}>{props.title}</h2>}
        extra={props.extra}
        styles={{ body: props.isFlush ? { padding: 0 } : {} }}
      >
        {props.children}
      </Card>
    </section>
  );
}

/** The head of a page: its name, a word on it, and what can be done. */
export function PageHead(props: { title: ReactNode; note?: ReactNode; children?: ReactNode }) {
  return (
    <div className="page-head">
      <div>
        <h1>{props.title}</h1>
        {props.note && <p className="quiet">{props.note}</p>}
      </div>
      {props.children && <div className="page-tools">{props.children}</div>}
    </div>
  );
}
