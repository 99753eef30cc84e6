"""Which words stand in the drawn pictures and in the sentences about them?

Pairs of English and Chinese, written for this project: a picture shows one language, its sentences exist in both."""

from typing import NamedTuple


class Words(NamedTuple):
    en: str
    zh: str

    def spoken(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


def pairs(text: str) -> tuple[Words, ...]:
    """``sales=销售额, costs=成本`` as words."""
    found = []
    for pair in text.replace("\n", " ").split(","):
        en, zh = pair.strip().split("=")
        found.append(Words(en, zh))
    return tuple(found)


MEASURES = pairs(
    """sales=销售额, revenue=收入, costs=成本, profit=利润, orders=订单量, visitors=访客数,
    sign-ups=注册人数, headcount=员工人数, energy use=能耗, temperature=气温, rainfall=降雨量,
    downloads=下载量, response time=响应时间, errors=错误数, complaints=投诉量, stock level=库存量,
    exports=出口额, prices=价格, website traffic=网站流量, memory use=内存占用,
    customer satisfaction=客户满意度, budget=预算, attendance=出勤率, output=产量,
    support tickets=工单数, delivery time=交付时间, water use=用水量, training hours=培训时长,
    defects=缺陷数, subscriptions=订阅数, market share=市场份额, carbon emissions=碳排放量"""
)

MONTHS = pairs(
    """Jan=1月, Feb=2月, Mar=3月, Apr=4月, May=5月, Jun=6月, Jul=7月, Aug=8月, Sep=9月, Oct=10月,
    Nov=11月, Dec=12月"""
)
QUARTERS = pairs("Q1=一季度, Q2=二季度, Q3=三季度, Q4=四季度")
WEEKDAYS = pairs("Mon=周一, Tue=周二, Wed=周三, Thu=周四, Fri=周五, Sat=周六, Sun=周日")
YEARS = tuple(Words(str(year), str(year)) for year in range(2008, 2027))
REGIONS = pairs(
    "North=北区, South=南区, East=东区, West=西区, Central=中区, Coast=沿海, Overseas=海外, Islands=海岛"
)
PRODUCTS = pairs(
    """Laptop=笔记本电脑, Phone=手机, Tablet=平板, Printer=打印机, Monitor=显示器, Camera=相机,
    Router=路由器, Keyboard=键盘, Headset=耳机, Server=服务器"""
)
DEPARTMENTS = pairs(
    """Finance=财务部, Sales=销售部, Legal=法务部, IT=信息部, HR=人事部, Research=研发部, Design=设计部,
    Support=客服部, Marketing=市场部, Purchasing=采购部, Logistics=物流部, Quality=质量部"""
)
CITIES = pairs(
    """Beijing=北京, Shanghai=上海, London=伦敦, Paris=巴黎, Berlin=柏林, Tokyo=东京, Madrid=马德里,
    Rome=罗马, Sydney=悉尼, Shenzhen=深圳, Chengdu=成都, Boston=波士顿"""
)
MATERIALS = pairs(
    "Steel=钢, Copper=铜, Glass=玻璃, Paper=纸, Plastic=塑料, Wood=木材, Cement=水泥, Rubber=橡胶"
)
LETTERS = tuple(Words(letter, letter) for letter in "ABCDEFGHIJKL")

GROUPS: tuple[tuple[Words, tuple[Words, ...]], ...] = (
    (Words("region", "地区"), REGIONS),
    (Words("product", "产品"), PRODUCTS),
    (Words("department", "部门"), DEPARTMENTS),
    (Words("city", "城市"), CITIES),
    (Words("material", "材料"), MATERIALS),
    (Words("group", "组别"), LETTERS),
)
PERIODS: tuple[tuple[Words, tuple[Words, ...]], ...] = (
    (Words("month", "月份"), MONTHS),
    (Words("weekday", "星期"), WEEKDAYS),
    (Words("year", "年份"), YEARS),
)

PROCESSES = pairs(
    """order handling=订单处理, leave request=请假申请, purchase approval=采购审批,
    incident response=事故处理, onboarding=入职流程, software release=软件发布,
    complaint handling=投诉处理, expense claim=费用报销, quality check=质量检查,
    document review=文件审核, customer support=客户支持, data backup=数据备份"""
)
STEPS = pairs(
    """Start=开始, Check=检查, Approve=批准, Reject=拒绝, Send=发送, Pay=付款, Ship=发货, Review=审核,
    Test=测试, Build=构建, Record=登记, Notify=通知, Archive=归档, Sign=签字, Order=下单, Deliver=交付,
    Plan=计划, Report=报告, Receive=接收, Finish=结束"""
)
QUESTIONS = pairs(
    "OK?=通过?, Paid?=已付?, In stock?=有货?, Urgent?=紧急?, Complete?=完整?, Over limit?=超额?"
)
ROLES = pairs(
    """Director=总经理, Manager=经理, Engineer=工程师, Assistant=助理, Accountant=会计, Designer=设计师,
    Clerk=文员, Analyst=分析师, Secretary=秘书, Lead=主管, Auditor=审计员, Buyer=采购员"""
)
SYSTEMS = pairs(
    """Browser=浏览器, Gateway=网关, Server=服务器, Database=数据库, Cache=缓存, Queue=队列, Storage=存储,
    Worker=工作进程, Firewall=防火墙, Switch=交换机, Router=路由器, Client=客户端, Backup=备份,
    Mail=邮件, Search=搜索, Login=登录"""
)
MESSAGES = pairs(
    "request=请求, reply=应答, query=查询, result=结果, token=令牌, write=写入, ack=确认, notify=通知"
)
TOPICS = pairs(
    """Strategy=战略, Quality=质量, Safety=安全, Budget=预算, Hiring=招聘, Training=培训, Research=研究,
    Market=市场, Customers=客户, Energy=能源, Security=信息安全, Travel=差旅, Software=软件,
    Suppliers=供应商, Planning=规划, Innovation=创新, Risk=风险, Logistics=物流"""
)
TASKS = pairs(
    """Design=设计, Survey=调研, Build=建设, Test=测试, Training=培训, Launch=上线, Review=评审,
    Purchase=采购, Migration=迁移, Pilot=试点, Hiring=招聘, Documentation=文档"""
)
EVENTS = pairs(
    """Founded=成立, First product=首款产品, New office=新办公室, Launch=发布, Merger=合并, Award=获奖,
    Listing=上市, Expansion=扩张, Audit=审计, Move=搬迁, Anniversary=周年"""
)
FIELDS = pairs(
    """Name=姓名, Date=日期, Address=地址, Telephone=电话, E-mail=邮箱, Department=部门, Position=职位,
    Signature=签名, Number=编号, Amount=金额, Reason=事由, Remarks=备注, Company=公司,
    Date of birth=出生日期, Account=账号, City=城市, From=自, To=至, Quantity=数量, Supervisor=主管,
    Start date=开始日期, Project=项目"""
)
FORMS = pairs(
    """Leave Application=请假申请表, Expense Claim=费用报销单, Registration Form=登记表,
    Order Form=订购单, Visitor Form=访客登记表, Employment Application=求职申请表,
    Inspection Report=检验报告单, Purchase Request=采购申请单, Travel Request=出差申请表,
    Equipment Loan=设备借用单, Change Request=变更申请单, Survey=调查问卷"""
)
COLUMNS = pairs(
    """Item=项目, Quantity=数量, Price=单价, Total=合计, Date=日期, Status=状态, Owner=负责人,
    Region=地区, Code=编码, Share=占比, Change=变化, Target=目标, Actual=实际, Notes=备注"""
)
ROOMS = pairs(
    """Office=办公室, Meeting=会议室, Kitchen=厨房, Lobby=大厅, Storage=储藏室, WC=卫生间, Bedroom=卧室,
    Living room=客厅, Archive=档案室, Lab=实验室, Reception=前台, Study=书房"""
)
MENU = pairs(
    """Home=首页, Search=搜索, Files=文件, Reports=报表, Users=用户, Settings=设置, Messages=消息,
    Calendar=日历, Projects=项目, Tasks=任务, Help=帮助, Teams=团队, Data=数据, Invoices=发票"""
)
OPTIONS = pairs(
    """Notifications=通知, Dark theme=深色主题, Language=语言, Automatic updates=自动更新, Sound=声音,
    Location=定位, Backup=备份, Two-factor login=两步验证, Sharing=共享, Shortcuts=快捷键,
    Privacy=隐私, Bluetooth=蓝牙, Network=网络, Time zone=时区"""
)
DIALOGS = pairs(
    """Delete this file?=删除此文件?, Save changes?=保存更改?, Error=错误, Update available=有可用更新,
    Connection lost=连接中断, Confirm payment=确认付款, Sign out?=退出登录?, Upload finished=上传完成,
    New version=新版本, Low disk space=磁盘空间不足"""
)
BUTTONS = pairs(
    "OK=确定, Cancel=取消, Save=保存, Delete=删除, Next=下一步, Close=关闭, Retry=重试, Send=发送"
)
STAMPS = pairs(
    "APPROVED=已批准, PAID=已付讫, COPY=副本, RECEIVED=收讫, CONFIDENTIAL=机密, URGENT=加急, DRAFT=草稿"
)
COMPANIES = pairs(
    """Northwind Tools=北风工具公司, Bluehill Energy=青山能源公司, Harbour Foods=港湾食品公司,
    Redbrick Design=红砖设计公司, Silverline Motors=银线汽车公司, Oakwood Paper=橡木纸业公司,
    Clearwater Labs=清水实验室, Sunrise Logistics=晨光物流公司"""
)
GOODS = pairs(
    """Paper=纸张, Pens=钢笔, Coffee=咖啡, Tea=茶叶, Milk=牛奶, Bread=面包, Cable=电缆, Lamp=台灯,
    Chair=椅子, Desk=书桌, Rice=大米, Apples=苹果, Water=矿泉水, Toner=墨粉, Batteries=电池,
    Folder=文件夹"""
)
NAMES = pairs(
    """Anna Reed=王芳, Tom Hill=李明, Mia Stone=张伟, Leo Grant=刘洋, Eva Long=陈静, Paul West=杨磊,
    Nora Lane=赵敏, Sam Wood=黄强, Ida Frost=周杰, Max Bell=吴娜"""
)
HEADLINES = pairs(
    """Results of the year=年度业绩, Our strategy=公司战略, Project status=项目进展,
    Market overview=市场概览, Next steps=后续工作, Team and roles=团队分工, Safety rules=安全守则,
    Product plan=产品规划, Customer feedback=客户反馈, Quarterly review=季度总结,
    Training plan=培训计划, Budget proposal=预算方案"""
)

_PROSE = """the report shows that most teams have finished their work before the end of the month and the
remaining items are planned for next week please send your comments to the office so that we can
update the document in time for the meeting of the board all members are asked to read the attached
pages and to sign the list costs were lower than expected because several orders have been moved to
the new supplier quality has improved since the last review and customers say that delivery is
faster the committee will decide about the budget in spring further details can be found in the
annex thank you for your help and kind regards"""
PROSE_EN = tuple(_PROSE.split())
PROSE_ZH = (
    "报告显示大部分团队已在月底前完成工作其余事项计划于下周处理请将意见发送至办公室以便我们及时更新文件"
    "董事会全体成员请阅读所附材料并在名单上签字由于部分订单已转给新供应商成本低于预期自上次评审以来质量有所提高"
    "客户表示交付速度更快委员会将于春季决定预算详情见附件感谢您的支持与配合此致敬礼"
)

NUMBERS = pairs(
    """no=零, one=一, two=两, three=三, four=四, five=五, six=六, seven=七, eight=八, nine=九, ten=十,
    eleven=十一, twelve=十二"""
)


def number(count: int) -> Words:
    """A count as it is said before a noun."""
    return NUMBERS[count] if 0 <= count < len(NUMBERS) else Words(str(count), str(count))


def article(noun: str) -> str:
    """``noun`` with a or an; the labels here follow their first letter, but for the abbreviations."""
    return f"{'an' if noun[0] in 'aeiouAEIO' else 'a'} {noun}"


def listed(words: list[Words]) -> Words:
    """a, b and c."""
    if not words:
        return Words("", "")
    *first, last = words
    en = f"{', '.join(w.en for w in first)} and {last.en}" if first else last.en
    zh = f"{'、'.join(w.zh for w in first)}和{last.zh}" if first else last.zh
    return Words(en, zh)
