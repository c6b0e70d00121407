import type { Language } from './i18n';

/**
 * What the server says in English sentences, said in Chinese; `$1` is what the pattern caught. A
 * sentence that is not here is shown as it came. The order is that of the server's files.
 */
export const chinese: readonly [RegExp, string][] = [
  // http/show_jobs.cc
  [/^stopping on request$/, '正在按请求停止'],
  [/^stopping, as other work needs its place$/, '其他任务需要其位置，正在停止'],
  [/^waits for its start\.not_before$/, '等待 start.not_before 指定的时间'],
  [/^waits until (\S+) for a cheaper hour$/, '等待更便宜的时段，$1 启动'],
  [/^waits until (\S+) for a greener hour$/, '等待更绿色的时段，$1 启动'],
  [/^waits for capacity$/, '等待资源'],
  [/^its site lost it; waits to be tried again$/, '算力中心丢失了该运行，等待重试'],
  [/^its site was cut off; waits to be tried again$/, '算力中心断开，等待重试'],
  [/^it was interrupted; waits to be tried again$/, '运行被中断，等待重试'],
  [/^other work needed its place; waits to be tried again$/, '被抢占，等待重试'],
  // http/show_places.cc
  [/^it was placed in the best pool that could start it$/, '已放置在可启动它的最优资源池'],
  [/^it waits for start\.not_before, (.+)$/, '等待 start.not_before：$1'],
  [/^it waits until (\S+) for a cheaper hour$/, '等到更便宜的时段：$1'],
  [/^it waits until (\S+) for a greener hour$/, '等到更绿色的时段：$1'],
  [/^then (.+) at (\S+)$/, '届时 $2 为 $1'],
  [/^now (.+) at the least$/, '现在至少为 $1'],
  [/^now (.+) at (\S+)$/, '现在 $2 为 $1'],
  [/^(\d+) % less$/, '低 $1%'],
  [/^(\d+) jobs that ask for the same wait before it$/, '前面还有 $1 个要求相同的任务在排队'],
  [/^another job that asks for the same waits before it$/, '前面还有 1 个要求相同的任务在排队'],
  [/^a node of (\S+) is kept for it$/, '已为它预留 $1 的 1 个节点'],
  [/^(\d+) nodes of (\S+) are kept for it$/, '已为它预留 $2 的 $1 个节点'],
  [/^free by (\S+) at the latest$/, '最迟 $1 空出'],
  [/^expected to be free by (\S+)$/, '预计 $1 空出'],
  [/^nodes of (\S+) are kept for (\S+) until (\S+)$/, '$1 的节点为 $2 预留至 $3'],
  [/^a project that holds a smaller share of all comes first$/, '有 1 个占用份额更小的项目排在前面'],
  [
    /^(\d+) projects that hold a smaller share of all come first$/,
    '有 $1 个占用份额更小的项目排在前面',
  ],
  [
    /^with max_duration (\S+), on the nodes that are kept for (\S+)$/,
    '设 max_duration 为 $1，使用为 $2 预留的节点',
  ],
  [/^none of (\d+) pools can start it now$/, '共 $1 个资源池，目前都不能启动它'],
  [
    /^it could start now, but what is set aside for it \((.+) CNY\) and what the project has \((.+) CNY\) do not pay for the price there is now$/,
    '有资源可以启动，但预授权（¥$1）与项目余额（¥$2）不足以支付当前价格',
  ],
  [/^with more credit on the project's account$/, '为项目充值'],
  [/^(\S+) somebody else got the capacity first at (.+)$/, '$1 $2 的资源先被他人取得'],
  [/^(\S+) the pool took nothing new at (.+)$/, '$1 资源池 $2 不接新任务'],
  [/^(\S+) the lease was not confirmed in time at (.+)$/, '$1 $2 的租约未及时确认'],
  [/^(\S+) the attempt was interrupted at (.+)$/, '$1 在 $2 的运行被中断'],
  [/^(\S+) the member could not be reached at (.+)$/, '$1 $2 无法连接'],
  [/^(\S+) the site lost the attempt at (.+)$/, '$1 $2 丢失了该运行'],
  [/^(\S+) the site was cut off for too long at (.+)$/, '$1 $2 断开过久'],
  [/^(\S+) other work needed its place at (.+)$/, '$1 在 $2 被抢占'],
  [/^spot work was told to make room for it by (\S+)$/, '已要求抢占式作业最迟 $1 让出位置'],
  // placement/change.cc
  [/^without (\S+) ?(.*)$/, '去掉 $1 $2'],
  [/^with (\S+) (.+) instead of (.+)$/, '把 $1 从 $3 改为 $2'],
  [/^with (\S+) (.+)$/, '设 $1 为 $2'],
  // placement/rank.cc
  [/^cost with carbon (.+) CNY\/h$/, '含碳费用 ¥$1/小时'],
  [/^cost (.+) CNY\/h$/, '费用 ¥$1/小时'],
  [/^starts now$/, '立即启动'],
  [/^carbon unknown$/, '碳强度未知'],
  [/^carbon (.+) g\/kWh$/, '碳强度 $1 g/kWh'],
  [/^wish (\d+)$/, '第 $1 备选'],
  [/^speed (.+) per node$/, '单节点速度 $1'],
  [/^firm$/, '确定'],
  // domain/decide_units.cc
  [/^the command exited with code (\d+)$/, '命令以退出码 $1 结束'],
  [/^a signal ended the command \((\d+)\)$/, '命令被信号 $1 终止'],
  [/^it used more memory than it asked for$/, '使用的内存超过申请量'],
  [/^stopped on request$/, '已按请求停止'],
  [/^max_duration has passed$/, '已到 max_duration 时长上限'],
  [/^the money set aside for it was used up$/, '预授权金额已用完'],
  [/^no renewal reached the site in time$/, '续期未及时到达算力中心'],
  [/^it could not be launched$/, '无法启动'],
  [/^the site cannot know how it ended$/, '算力中心无法得知它如何结束'],
  [/^its start\.deadline passed before it could start$/, '未能在 start.deadline 之前启动'],
  [
    /^its site lost it, and its start\.deadline passed before it could start again$/,
    '算力中心丢失了该运行，且未能在 start.deadline 之前再次启动',
  ],
  [
    /^(.+); what is left of its budget does not pay for another attempt$/,
    '$1；剩余预算不足以再次运行',
  ],
  // engine/supervisor.cc, engine/attempt_table.cc
  [/^it was stopped before it started$/, '启动前已被停止'],
  [/^the input (.+) could not be brought: (.+)$/, '输入 $1 未能取到：$2'],
  [/^the output (.+) could not be kept: (.+)$/, '输出 $1 未能保存：$2'],
  [/^it was stopped while its outputs were kept$/, '保存输出时被停止'],
  [/^the working directory could not be unpacked: (.+)$/, '工作目录未能解包：$1'],
  [/^its working directory is no longer kept$/, '工作目录已不再保留'],
  [/^its node (\S+) takes no work now, and it had not begun$/, '节点 $1 暂不接受任务，运行尚未开始'],
  [/^it died of (SIG\w+)$/, '被信号 $1 终止'],
  [
    /^the kernel killed a process of it at its memory limit of (\d+) bytes$/,
    '达到 $1 字节内存上限，内核终止了其中的进程',
  ],
  [/^its supervisor vanished without a word, so how it ended is not known$/, '监管进程消失，结果未知'],
  [/^what was written about it did not survive a crash$/, '其记录未能在崩溃后保留'],
  [/^the machine was started anew while it ran$/, '运行期间机器重新启动'],
  // uplink/above.cc, uplink/below.cc, net/socket_session.cc
  [
    /^waits for the approval of its operator there: suan join approve (.+)$/,
    '等待上级运营方批准：suan join approve $1',
  ],
  [/^the parent closed the connection$/, '上级节点关闭了连接'],
  [/^there is no domain at that address: HTTP status (\d+)$/, '该地址没有节点：HTTP 状态 $1'],
  [/^the peer has gone silent$/, '对方没有回应'],
  [/^the parent has gone silent$/, '上级节点没有回应'],
  [/^the connection broke$/, '连接中断'],
  [/^the connection broke: (.+)$/, '连接中断：$1'],
  [/^the connection ended$/, '连接已断开'],
  [/^the operator has refused this domain$/, '运营方拒绝了该节点'],
  [/^a domain cannot join itself$/, '节点不能加入自身'],
  [/^that would be a circle: this domain is above its parent$/, '会形成环：本节点在其上级之上'],
];

/** A sentence of the server in the reader's language. */
export function tell(language: Language, sentence: string): string {
  if (language === 'en') return sentence;
  const found = chinese.find(([pattern]) => pattern.test(sentence));
  if (found) return sentence.replace(found[0], found[1]).trim();
  const parts = sentence.split('; '); // Several sentences in one.
  return parts.length > 1 ? parts.map((part) => tell(language, part)).join('；') : sentence;
}
