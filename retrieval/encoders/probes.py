"""What are encoders timed and judged on before they serve? Sentences and pictures made here.

The sentences are of the kinds a company searches, in English and Chinese, several to a subject, so that each
has near neighbours whose order a careless quantisation would change.
"""

import numpy as np
from PIL import Image, ImageDraw

SENTENCES = (
    "Close both valves before you take the pump off its base plate.",
    "The pump's shaft seal is replaced every two thousand hours.",
    "A pump that runs dry for a minute ruins its mechanical seal.",
    "拆下水泵之前先关闭两侧的阀门。",
    "机械密封每两千小时更换一次。",
    "水泵空转会损坏密封圈。",
    "Error E-4711: the drive does not answer on the field bus.",
    "If the display shows E-4711, check the bus cable and its terminator.",
    "变频器报警 E-4711 表示总线通信中断。",
    "请检查总线电缆和终端电阻。",
    "Employees have thirty days of paid leave a year.",
    "Part-time staff accrue holiday in proportion to their hours.",
    "Unused vacation may be carried over until the end of March.",
    "员工每年享有三十天带薪年假。",
    "未休的年假可以结转到次年三月底。",
    "兼职员工的假期按工作时间比例计算。",
    "Travel expenses are claimed within fourteen days, with receipts.",
    "The daily allowance abroad depends on the country.",
    "出差费用须在十四天内凭发票报销。",
    "国外出差补贴因国家而异。",
    "Invoice 2024-118 is due thirty days after delivery.",
    "The customer disputes the freight charge on the invoice.",
    "发票应在交货后三十天内付款。",
    "客户对发票上的运费有异议。",
    "Reset your password from the sign-in page with your staff number.",
    "Single sign-on sessions end after eight hours without use.",
    "Two-factor authentication needs the app on your phone.",
    "在登录页面用工号重置密码。",
    "八小时不使用后登录会自动失效。",
    "双重验证需要在手机上安装应用。",
    "In case of fire leave by the nearest exit and meet in the car park.",
    "Fire extinguishers are inspected every two years.",
    "First-aid boxes hang beside each lift.",
    "发生火灾时从最近的出口离开并到停车场集合。",
    "灭火器每两年检查一次。",
    "急救箱挂在每部电梯旁边。",
    "The backup runs every night at two and is kept for ninety days.",
    "To restore a database, stop the service and load the latest dump.",
    "Disk usage above eighty per cent raises an alert.",
    "备份每晚两点运行并保留九十天。",
    "恢复数据库时先停止服务再导入最新备份。",
    "磁盘使用率超过百分之八十会触发告警。",
    "The new branch office opens in Shanghai next spring.",
    "Our warehouse in Rotterdam handles returns for Europe.",
    "上海的新办公室将于明年春天启用。",
    "鹿特丹仓库负责欧洲的退货。",
    "Quarterly revenue rose by six per cent, driven by services.",
    "The board approved the budget for the coming year.",
    "服务业务带动季度收入增长百分之六。",
    "董事会批准了下一年度的预算。",
    "A wiring diagram of the control cabinet, sheet three of five.",
    "A photo of a cracked bearing housing.",
    "A bar chart of monthly complaints by product.",
    "控制柜接线图,第三张,共五张。",
    "轴承座裂纹的照片。",
    "按产品统计的每月投诉柱状图。",
    "Interviews are held by two people, and notes kept for six months.",
    "Personal data of applicants is deleted after six months.",
    "面试由两人进行,记录保存六个月。",
    "应聘者的个人信息在六个月后删除。",
)

# As people type them: two to eight words.
QUERIES = (
    "pump seal",
    "E-4711",
    "how many days of leave do part-time staff get",
    "水泵密封更换",
    "reset password",
    "年假结转",
    "invoice 2024-118 freight",
    "fire exit meeting point",
)

# As the pipeline cuts them: about two hundred tokens.
PASSAGES = tuple(" ".join(SENTENCES[start : start + 14]) for start in (0, 14, 28, 42))


def pictures() -> list[Image.Image]:
    """Twenty-four of 320 x 240, the same at every call: blocks, discs, stripes and noise in many colours."""
    random = np.random.default_rng(0)
    made = []
    for index in range(24):
        back, front = ((int(r), int(g), int(b)) for r, g, b in random.integers(0, 256, (2, 3)))
        image = Image.new("RGB", (320, 240), back)
        draw = ImageDraw.Draw(image)
        left, top = int(random.integers(0, 160)), int(random.integers(0, 120))
        match index % 4:
            case 0:
                draw.rectangle((left, top, left + 120, top + 90), fill=front)
            case 1:
                draw.ellipse((left, top, left + 110, top + 110), fill=front)
            case 2:
                for x in range(left % 20, 320, 20):
                    draw.line((x, 0, 320 - x, 240), fill=front, width=5)
            case _:
                noise = random.integers(0, 256, (24, 32, 3), dtype=np.uint8)
                image = Image.blend(image, Image.fromarray(noise).resize(image.size), 0.6)
        made.append(image)
    return made
